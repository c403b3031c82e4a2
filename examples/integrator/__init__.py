"""A small integration with Koncili: from a marketplace's export of orders to reconciliations that are completed."""
