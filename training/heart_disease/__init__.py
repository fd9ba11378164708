"""Trains and validates the shipped heart-disease risk model, and writes it as a bundle."""
