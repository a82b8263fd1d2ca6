"""A model from another one. Imports architecture."""
