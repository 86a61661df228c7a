"""Parsing of `Forwarded` (RFC 7239) and the `X-Forwarded-` fields. No I/O."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from roll_http.syntax import TCHARS

__all__ = ["ALL_FIELDS", "Origin", "Trusted", "origin_of"]

Address = tuple[str, int] | None
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ALL_FIELDS: Final = ("forwarded", "for", "proto", "host", "port", "prefix")
"""`Forwarded`, and the ends of the names that begin with `X-Forwarded-`."""

# RFC 7239 4: token "=" ( token / quoted-string ). One quantifier per position: linear.
PAIR: Final = re.compile(rf'({TCHARS}+)=(?:({TCHARS}+)|"((?:[^"\\]|\\.)*+)")')
SEPARATOR: Final = re.compile(r"[ \t]*+([;,]|\Z)[ \t]*+")

# RFC 3986 3.2.2: a name, an IPv4 address, or an IPv6 address in brackets; and a port.
HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]++\]|[A-Za-z0-9\-._~]++)(?::([0-9]{1,5}))?+")
PORT: Final = re.compile("[0-9]{1,5}")
PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9\-._~!$&'()*+,;=:@%]++)++")
PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
HIGHEST_PORT: Final = 65535
MAPPED: Final = 96
"""Bits before the IPv4 address in an IPv4-mapped IPv6 address (RFC 4291 2.5.5.2)."""


MOST: Final = 100
"""The most proxies in a row. To check each of the 7,500 in a field of 30 KB took 70 ms."""


class Origin(NamedTuple):
    """The client and the target of a request before the proxies; None where unknown."""

    client: Address
    scheme: str | None
    host: str | None
    prefix: str | None


class Hop(NamedTuple):
    """The data of one proxy about the request that it received."""

    client: str | None = None
    scheme: str | None = None
    host: str | None = None


class Trusted:
    """The trusted proxies: addresses, networks, `"unix"`, or `"*"` for all.

    Raises:
        ValueError: one of the names is something else.
    """

    def __init__(self, names: Collection[str]) -> None:
        if isinstance(names, str | bytes | bytearray) or not isinstance(names, Collection):
            raise ValueError(f"`trusted` is a list of addresses or networks, not {names!r}")  # noqa: TRY004 - like all mistakes in options
        self._everyone = "*" in names
        self._unix = "unix" in names
        self._networks = Networks(network_of(name) for name in names if name not in ("*", "unix"))

    def has(self, address: str | None) -> bool:
        """Tell whether a peer is trusted; None stands for a peer on a Unix socket."""
        if self._everyone:
            return True
        if address is None:
            return self._unix
        found = ip_of(address)
        return found is not None and self._networks.have(found)


class Networks:
    """Networks by their length, so that many of them take no longer than a few."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._known: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
        """The first bits of the networks, by version and by the number of the other bits."""
        for network in networks:
            others = network.max_prefixlen - network.prefixlen
            known = self._known[network.version].setdefault(others, set())
            known.add(int(network.network_address) >> others)

    def have(self, address: IPAddress) -> bool:
        """Tell whether an address is in one of the networks."""
        bits = int(address)
        for others, known in self._known[address.version].items():  # `any` takes 0.2 us more
            if bits >> others in known:
                return True
        return False


def network_of(name: str) -> Network:
    try:
        found = ipaddress.ip_network(str(name))  # `str`: it takes a number for an address
        return found if isinstance(found, ipaddress.IPv4Network) else unmapped(found)
    except ValueError as error:
        raise ValueError(
            f"`trusted` has addresses, networks such as '10.0.0.0/8', 'unix' or '*', not {name!r}:"
            f" {error}"
        ) from None


def unmapped(network: ipaddress.IPv6Network) -> Network:
    """Return the IPv4 network of an IPv4-mapped one; addresses of peers are converted too."""
    address = network.network_address.ipv4_mapped
    length = network.prefixlen - MAPPED
    return network if address is None or length < 0 else ipaddress.IPv4Network((address, length))


def ip_of(address: str) -> IPAddress | None:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    # An IPv4 client on a socket for both families.
    return getattr(found, "ipv4_mapped", None) or found


def origin_of(
    headers: Mapping[str, str],
    peer: Address,
    trusted: Trusted,
    fields: Collection[str],
) -> Origin | None:
    """Return the origin of a request by its trusted proxies; None if they give none.

    `headers` has the fields by upper-cased names. `peer` is the address of the connection, None
    over a Unix socket. `fields` are those of `ALL_FIELDS` that the proxies set or remove.

    Raises:
        ValueError: a trusted field is malformed, or `Forwarded` and `X-Forwarded-` fields are both
            there.
    """
    if not trusted.has(None if peer is None else peer[0]):
        return None
    new = headers.get("FORWARDED") if "forwarded" in fields else None
    old = {name: headers.get(f"X-FORWARDED-{name.upper()}") for name in fields}
    if new is not None and any(value is not None for value in old.values()):
        raise ValueError(
            "Forwarded and X-Forwarded fields are both there: the proxy has to remove one"
        )
    if new is not None:
        return nearest(list(read_forwarded(new)), peer, trusted, None)
    return read_old({name: value for name, value in old.items() if value}, peer, trusted)


def nearest(hops: list[Hop], peer: Address, trusted: Trusted, prefix: str | None) -> Origin | None:
    """Return the origin by the last hop whose client is not a trusted proxy."""
    found = None
    for passed, hop in enumerate(reversed(hops)):
        if passed == MOST:
            raise ValueError(f"The request has passed more than {MOST} proxies")
        found = hop
        address = None if hop.client is None else address_of(hop.client)
        if address is None or not trusted.has(address[0]):
            break
    if found is None:
        return None
    client = peer if found.client is None else address_of(found.client)
    return Origin(client, checked_scheme(found.scheme), checked_host(found.host), prefix)


def read_forwarded(field: str) -> Iterator[Hop]:
    """Yield the elements of a `Forwarded` field; the element of the nearest proxy is last."""
    pairs: dict[str, str] = {}
    at = 0
    while at < len(field):
        found = PAIR.match(field, at)
        if found is not None:
            name = found[1].lower()
            if name in pairs:
                raise ValueError(f"Forwarded has {name} twice in one element")
            pairs[name] = found[2] or re.sub(r"\\(.)", r"\1", found[3] or "")
            at = found.end()
        behind = SEPARATOR.match(field, at)
        if behind is None:
            raise ValueError(f"Forwarded is malformed: {field[:80]!r}")
        at = behind.end()
        if behind[1] != ";" and pairs:
            yield Hop(pairs.get("for"), pairs.get("proto"), pairs.get("host"))
            pairs = {}


def read_old(fields: Mapping[str, str], peer: Address, trusted: Trusted) -> Origin | None:
    """Return the hops of the `X-Forwarded-` fields, each of which may be a list."""
    lists = {name: members for name, value in fields.items() if (members := split(value))}
    if not lists:
        return None
    clients = lists.get("for", [""])
    count = len(clients)
    hops = [hop_at(lists, index, count) for index in range(max(0, count - MOST - 1), count)]
    return nearest(hops, peer, trusted, checked_prefix(lists.get("prefix", [""])[-1]))


def split(value: str) -> list[str]:
    """Return the members of a list; empty ones are ignored (RFC 9110 5.6.1)."""
    return [member for part in value.split(",") if (member := part.strip(" \t"))]


def hop_at(lists: Mapping[str, list[str]], index: int, count: int) -> Hop:
    client, scheme = item(lists, "for", index, count), item(lists, "proto", index, count)
    return Hop(client, scheme, host_with_port(lists, index, count))


def item(lists: Mapping[str, list[str]], name: str, index: int, count: int) -> str | None:
    """Return the value of a proxy: a proxy that appends to one list appends to all or replaces."""
    found = lists.get(name)
    if found is None:
        return None
    return found[index] if len(found) == count else found[-1]


def host_with_port(lists: Mapping[str, list[str]], index: int, count: int) -> str | None:
    name = item(lists, "host", index, count)
    port = item(lists, "port", index, count)
    if port is not None and not is_port(port):
        raise ValueError(f"X-Forwarded-Port is not a port: {port[:80]!r}")
    if name is None or port is None:
        return name
    default = PORTS.get((item(lists, "proto", index, count) or "http").lower())
    has_port = name.rpartition("]")[2].count(":") == 1
    return name if has_port or int(port) == default else f"{name}:{int(port)}"


def address_of(node: str) -> tuple[str, int] | None:
    """Return the address and the port (0 if unknown) of a node; None for a hidden node.

    Raises:
        ValueError: the text is not a node (RFC 7239 6).
    """
    # nginx sends "unix:" for a client on a Unix socket.
    if node.lower() == "unknown" or node.startswith("_") or node == "unix:":
        return None
    name, port = parts_of(node)
    found = ip_of(name)
    if found is None or not (port.startswith("_") or is_port(port)):
        raise ValueError(f"A forwarded address is invalid: {node[:80]!r}")
    return str(found), 0 if port.startswith("_") else int(port)


def parts_of(node: str) -> tuple[str, str]:
    """Return the name and the port of a node: `"0"` without one, `""` where it is malformed."""
    name, closed, rest = node.removeprefix("[").partition("]")
    if closed and node.startswith("[") and ":" in name:
        return name, "0" if not rest else rest[1:] if rest.startswith(":") else ""
    if node.count(":") == 1:
        name, _, port = node.partition(":")
        return name, port
    return node, "0"  # also an IPv6 address without brackets, as in `X-Forwarded-For`


def is_port(text: str) -> bool:
    return PORT.fullmatch(text) is not None and int(text) <= HIGHEST_PORT


def checked_scheme(scheme: str | None) -> str | None:
    if scheme is None:
        return None
    known = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
    found = known.get(scheme.lower())
    if found is None:
        raise ValueError(f"The forwarded scheme is neither http nor https: {scheme[:80]!r}")
    return found


def checked_host(host: str | None) -> str | None:
    if host is not None and not is_host(host):
        raise ValueError(f"The forwarded host is invalid: {host[:80]!r}")
    return host


def is_host(host: str) -> bool:
    found = HOST.fullmatch(host)
    return found is not None and (found[1] is None or is_port(found[1]))


def checked_prefix(prefix: str) -> str | None:
    prefix = prefix.rstrip("/")
    if not prefix:
        return None
    if PREFIX.fullmatch(prefix) is None:
        raise ValueError(f"X-Forwarded-Prefix is not a path: {prefix[:80]!r}")
    return prefix
