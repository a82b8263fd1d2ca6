"""What Lagoon is taught beyond the families: many names and things, reading, sums in words, and what it is itself."""
