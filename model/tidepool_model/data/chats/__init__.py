"""Conversations: topics and facts as data, below what strings them together."""
