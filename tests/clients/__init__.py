"""Clients that generators make of the OpenAPI document, tried against the mock (`make clients`)."""
