"""The application of the tutorial: a library with an API, pages and live updates."""
