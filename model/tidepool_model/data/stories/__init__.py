"""The story generator: words and the template language below, plots and frames on them, the storyteller on top."""
