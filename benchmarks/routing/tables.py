"""Tables of routes as an API like GitHub's has them, of any size."""

from collections.abc import Iterator
from itertools import count, islice

__all__ = ["paths", "table"]

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
