"""Servers and their clients, call by call, in one guest; their packages are needed for nothing else."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.guest.verify.exec.test_programs import ktrace_exec

optional = pytest.mark.optional(reason="apt-get install memcached nginx-light redis-server redis-tools socat sqlite3")
NGINX = """
daemon off; pid /tmp/pid; error_log /tmp/log; user root; events { worker_connections 16; }
http { access_log off; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f;
uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s; server { listen 127.0.0.1:8080; root /srv; } }
"""
CONNECT = "until exec 3<>/dev/tcp/127.0.0.1/%d; do sleep 0.05; done 2>/dev/null; "


@dataclass(frozen=True)
class Service:
    """A script for bash, the programs that it needs, and what it says."""

    script: str
    programs: tuple[str, ...]
    said: str


SERVICES = {
    "memcached": Service(
        "memcached -u root -l 127.0.0.1 -p 11211 -t 1 & " + CONNECT % 11211
        + r'printf "set a 0 0 2\r\nhi\r\nget a\r\nquit\r\n" >&3; cat <&3; kill %1; wait',
        ("memcached", "sleep", "cat"),
        "STORED\nVALUE a 0 2\nhi\nEND\n",
    ),
    "nginx": Service(
        "nginx -c /srv/conf & " + CONNECT % 8080
        + r'printf "GET /page HTTP/1.0\r\n\r\n" >&3; cat <&3 | tail -1; kill %1; wait',
        ("nginx", "sleep", "cat", "tail"),
        "a page\n",
    ),
    "redis": Service(
        "redis-server --port 7000 --unixsocket /tmp/s --save '' --dir /tmp --logfile /tmp/log & "
        + CONNECT % 7000
        + "redis-cli -p 7000 set a 1; redis-cli -s /tmp/s incr a; redis-cli -p 7000 shutdown; wait",
        ("redis-server", "redis-cli", "sleep"),
        "OK\n2\n",
    ),
    "socat": Service(
        "socat UNIX-LISTEN:/tmp/s EXEC:cat & until [ -S /tmp/s ]; do sleep 0.05; done; "
        "echo through | socat -t 60 - UNIX-CONNECT:/tmp/s; wait",
        ("socat", "sleep", "cat"),
        "through\n",
    ),
    "sqlite3": Service(
        "sqlite3 /tmp/x.db 'create table t (a); insert into t values (1), (2); select sum(a) from t'",
        ("sqlite3",),
        "3\n",
    ),
}  # fmt: skip


def path_of(program: str) -> str:
    found = shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"no {program} here")
    return found


@pytest.mark.usefixtures("template")
@optional
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_agrees(name: str, tmp_path: Path) -> None:
    service = SERVICES[name]
    (tmp_path / "conf").write_text(NGINX)
    (tmp_path / "page").write_text("a page\n")
    put = [word for program in service.programs for word in ("--put", path_of(program))]
    done = ktrace_exec("-q", *put, "--put", f"{tmp_path}:/srv", "--cwd", "/", "--", "bash", "-c", service.script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.replace("\r", "") == service.said
