"""Tables of routes as an API like GitHub's has them, of any size."""

from collections.abc import Iterator
from itertools import count, islice

__all__ = ["LIKES", "MIXED", "SMALL", "SMALL_PATHS", "paths", "table"]

# The first ten are the smallest table: every kind of hit must be among them.
API = """
/user/repos
/users/{user}
/users/{user}/repos
/repos/{owner}/{repo}
/repos/{owner}/{repo}/issues
/repos/{owner}/{repo}/issues/{number}
/gists/{id}
/gists/{id}/star
/emojis
/orgs/{org}/members/{user}
/user
/user/emails
/user/followers
/user/following
/user/following/{user}
/user/starred/{owner}/{repo}
/user/keys/{id}
/users/{user}/events
/users/{user}/events/orgs/{org}
/users/{user}/followers
/users/{user}/gists
/users/{user}/following/{target}
/events
/feeds
/notifications
/notifications/threads/{id}
/orgs/{org}
/orgs/{org}/members
/orgs/{org}/repos
/orgs/{org}/teams
/teams/{id}
/teams/{id}/members/{user}
/search/code
/search/users
/repos/{owner}/{repo}/branches
/repos/{owner}/{repo}/branches/{branch}
/repos/{owner}/{repo}/collaborators/{user}
/repos/{owner}/{repo}/comments/{id}
/repos/{owner}/{repo}/commits
/repos/{owner}/{repo}/commits/{sha}
/repos/{owner}/{repo}/commits/{sha}/comments
/repos/{owner}/{repo}/forks
/repos/{owner}/{repo}/git/blobs/{sha}
/repos/{owner}/{repo}/hooks/{id}
/repos/{owner}/{repo}/issues/{number}/labels/{name}
/repos/{owner}/{repo}/pulls/{number}/files
/repos/{owner}/{repo}/releases/{id}
/repos/{owner}/{repo}/stats/contributors
"""
ROUTES = API.split()

# Places that several routes claim, and segments of several placeholders.
_MIXED = r"""
/files/{file}
/files/{file}.json
/posts/{id:int}
/posts/{slug}
/items/{id:uuid}
/items/{id:digit}
/items/{id:alpha}
/items/{id:digit}/edit
/items/{slug}/edit
/calendar/{year:\d{4}}-{month:\d\d}
/downloads/{name}.{ext}
/compare/{base}-{head}
/compare/{base}...{head}
/static/{path:path}
/pages/{page:path}
/pages/{page}/edit
"""
MIXED = _MIXED.split()
# By path, the route of bare autoroutes that is most like the one that matches: alone at its place.
LIKES = {
    "/files/readme": "/files/{file}",
    "/files/readme.json": "/files/{file}",
    "/posts/12": "/posts/{id}",
    "/posts/hello": "/posts/{slug}",
    "/items/12": "/items/{id}",
    "/items/abc": "/items/{id}",
    "/items/12/edit": "/items/{id}/edit",
    "/items/a-b/edit": "/items/{slug}/edit",
    "/calendar/2024-05": r"/calendar/{date:\d\d\d\d-\d\d}",
    "/downloads/notes.tar.gz": "/downloads/{file}",
    "/compare/main-next": "/compare/{refs}",
    "/compare/main...next": "/compare/{refs}",
    "/static/css/vendor/main.css": "/static/{path:path}",
    "/pages/a/b/c": "/pages/{page:path}",
    "/pages/a/edit": "/pages/{page}/edit",
}

# A small and plain table.
_SMALL = """
/
/about
/posts/new
/posts/{slug}
/posts/{slug}/edit
/tags/{tag}
/api/v1/users/{id}
/static/{path:path}
"""
SMALL = _SMALL.split()
SMALL_PATHS = (
    "/posts/hello",
    "/posts/hello/edit",
    "/api/v1/users/12",
    "/static/main.css",
    "/static/css/vendor/main.css",
    "/nowhere",
)


def table(size: int) -> list[str]:
    """Give as many routes: the API, then its second version, and so on."""
    return list(islice(_all_routes(), size))


def _all_routes() -> Iterator[str]:
    for version in count():
        for route in ROUTES:
            yield _prefix(version) + route


def _prefix(version: int) -> str:
    return f"/v{version}" if version else ""


def paths(size: int) -> dict[str, tuple[str, dict[str, str] | None]]:
    """Give by kind a path in the middle of the table, and the values expected, None for a miss."""
    start = _prefix(size // len(ROUTES) // 2)
    repo = {"owner": "pyrates", "repo": "roll"}
    return {
        "static": (f"{start}/user/repos", {}),
        "one": (f"{start}/users/somebody", {"user": "somebody"}),
        "two": (f"{start}/repos/pyrates/roll", repo),
        "three": (f"{start}/repos/pyrates/roll/issues/1234", {**repo, "number": "1234"}),
        "miss": (f"{start}/repos/pyrates/roll/wiki/1234", None),
        "miss early": ("/nowhere/to/be/found", None),
    }
