"""What models are trained on: text, tokens, packed rows. Imports tasks."""
