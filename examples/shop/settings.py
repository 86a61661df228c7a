"""The settings: from the environment, checked once at the start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


class BadSettings(Exception):
    """An error: a variable of the environment is missing, or has a wrong value."""


@dataclass(frozen=True)
class Settings:
    secret: str
    database: str = "shop.db"
    page_size: int = 20
    debug: bool = False

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Return the settings of the variables that begin with `SHOP_`."""
        try:
            return cls(
                secret=environ["SHOP_SECRET"],
                database=environ.get("SHOP_DATABASE", cls.database),
                page_size=int(environ.get("SHOP_PAGE_SIZE", cls.page_size)),
                debug=environ.get("SHOP_DEBUG", "no") == "yes",
            )
        except KeyError as error:
            raise BadSettings(f"Set the variable {error}") from None
        except ValueError as error:
            raise BadSettings(f"A variable has a wrong value: {error}") from None
