from pathlib import Path

from roll import Roll
from roll.extensions import simple_server, static

app = Roll()
static(app, prefix="/", root=Path(__file__).parent / "public", default_index="index.html")


if __name__ == "__main__":
    simple_server(app)
