"""A package, unlike the other folders of tests: a browser lives as long as its tests, and no longer."""
