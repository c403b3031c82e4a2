"""Hypothesis strategies for what an integrator sends, and for each way of getting it wrong."""
