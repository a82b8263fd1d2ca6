"""The report on impact: what is measured of the models, the recipe and the app, in seven categories."""
