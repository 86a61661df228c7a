"""URL routing for Roll: autoroutes, with no wrong answer."""

__version__ = "0.1.0"
