"""How weights are learned from data. Imports data and architecture."""
