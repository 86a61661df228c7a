"""The proxies of docs/proxies.md: their printed configurations, as a test starts them."""

import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "proxies.md"
MODULES = "/usr/lib/apache2/modules"

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{printed}
}}
"""
APACHE = (
    """
ServerName localhost
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
User nobody
Group nogroup
ErrorLog /dev/stderr
Listen {front}
"""
    + "".join(
        f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
        for name in ("mpm_event", "authz_core", "headers", "proxy", "proxy_http")
    )
    + "{printed}"
)
CADDY = """
{{
    admin off
    auto_https off
    default_bind 127.0.0.1
    storage file_system {folder}
}}
{printed}
"""
LIGHTTPD = """
server.document-root = "{folder}"
server.bind = "{host}"
server.port = {port}
server.upload-dirs = ("{folder}")
{printed}
"""
Replacements = dict[str, str]


@dataclass
class Proxy:
    """How a test starts a proxy: what it replaces in the page, and what it puts around that."""

    program: str
    language: str
    """That of the printed block."""
    arguments: str
    replaced: Replacements
    """Addresses, and times that a test would wait for."""
    around: str = "{printed}"
    printed_arguments: Replacements = field(default_factory=dict)
    """What is replaced in the printed command line, if there is one."""

    @property
    def path(self) -> str | None:
        # Debian installs some where only root looks.
        return shutil.which(self.program) or shutil.which(self.program, path="/usr/sbin")

    def command(self, folder: Path, front: str, upstream: str) -> list[str]:
        """Write the configuration; return the command that serves it."""
        host, port = front.split(":")
        values = {"folder": str(folder), "front": front, "host": host, "port": port}
        values["upstream_port"] = upstream.rpartition(":")[2]
        own = {} if "upstream_port" in str(self.replaced) else {"127.0.0.1:8000": upstream}
        printed = replace(block(self.language), own | self.replaced, values)
        config = folder / "proxy.conf"
        config.write_text(self.around.format(printed=printed, **values))
        line = replace(block("sh", f"{self.program} "), self.printed_arguments, values)
        arguments = shlex.split(f"{self.arguments.format(**values)} {line}")
        assert self.path
        return [self.path, *arguments]


def block(language: str, start: str = "") -> str:
    """Return the first block of a language in the page that begins so, without that beginning."""
    found = re.search(rf"```{language}\n{start}(.*?)```", PAGE.read_text(), re.DOTALL)
    return found[1] if found else ""


def replace(text: str, replaced: Replacements, values: Replacements) -> str:
    text = text.replace("\\\n", "")
    for old, new in replaced.items():
        assert not text or old in text, f"{old!r} is not in the page"
        text = text.replace(old, new.format(**values))
    return text


PROXIES = {
    "nginx": Proxy(
        "nginx",
        "nginx",
        "-e stderr -p {folder} -c {folder}/proxy.conf",
        {"listen 80;": "listen {front};", "keepalive_timeout 60s": "keepalive_timeout 1s"},
        NGINX,
    ),
    "haproxy": Proxy(
        "haproxy",
        "haproxy",
        "-f {folder}/proxy.conf",
        {"bind :80": "bind {front}", "inter 5s": "inter 100ms", "delay 2s": "delay 200ms"},
    ),
    "apache": Proxy(
        "apache2",
        "apache",
        "-D FOREGROUND -f {folder}/proxy.conf",
        {"*:80": "{front}", "ttl=60": "ttl=1"},
        APACHE,
    ),
    "caddy": Proxy(
        "caddy",
        "caddy",
        "run --adapter caddyfile --config {folder}/proxy.conf",
        {
            "example.org {": "http://example.org:{port} {{",
            "keepalive 60s": "keepalive 1s",
            "health_interval 10s": "health_interval 2s",
        },
        CADDY,
    ),
    "lighttpd": Proxy(
        "lighttpd",
        "lighttpd",
        "-D -f {folder}/proxy.conf",
        {'"port" => 8000': '"port" => {upstream_port}'},
        LIGHTTPD,
    ),
    "varnish": Proxy(
        "varnishd",
        "vcl",
        "-F -j none -n {folder}/varnish",
        {'"8000"': '"{upstream_port}"', "interval = 5s": "interval = 100ms"},
        printed_arguments={
            "/etc/varnish/default.vcl": "{folder}/proxy.conf",
            "-a :80": "-a {front}",
            "backend_idle_timeout=60": "backend_idle_timeout=1",
        },
    ),
}
