"""Who may come to the page's server, and what they are given."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from deltarule.errors import SettingError
from deltarule.playground.guard import Guard
from deltarule.playground.server import listen


def test_it_listens_on_this_machine_alone(site: Any) -> None:
    assert site.service.listener.getsockname()[0] == "127.0.0.1"
    assert site.service.url == f"http://127.0.0.1:{site.service.port}/?token={site.token}"


def test_its_own_page_reaches_it(site: Any) -> None:
    page = httpx.get(site.service.url)
    assert page.status_code == 200
    assert re.search(r'<script type="module" src="static/[0-9a-f]+/main\.js">', page.text)
    assert site.get("/static/main.js").headers["content-type"].startswith("text/javascript")
    own = {"Origin": f"http://{site.host}", "Sec_Fetch_Site": "same-origin"}
    assert site.get("/api/model", **own).status_code == 200
    assert site.handshake() == 101
    assert site.get("/api/model", Host=f"localhost:{site.service.port}").status_code == 200


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/model", "/ws"])
@pytest.mark.parametrize(
    "host", ["attacker.example", "attacker.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "[::1"]
)
def test_a_name_that_was_bent_to_this_machine_is_refused(site: Any, path: str, host: str) -> None:
    """DNS rebinding: the attacker's page asks its own name, which now means 127.0.0.1."""
    name = host.format(port=site.service.port)
    if path == "/ws":
        assert site.handshake(additional_headers={"Host": name}) in (400, 403)
    else:
        assert site.get(f"{path}?token={site.token}", Host=name).status_code == 403


@pytest.mark.parametrize("origin", ["http://attacker.example", "null", "http://127.0.0.1:1", "https://{host}", ""])
def test_a_page_of_another_origin_is_refused(site: Any, origin: str) -> None:
    given = origin.format(host=site.host)
    assert site.get("/api/model", Origin=given).status_code == 403
    assert httpx.get(site.service.url, headers={"Origin": given}).status_code == 403
    assert site.handshake(origin=given) == 403


@pytest.mark.parametrize("where", ["cross-site", "same-site"])
def test_what_the_browser_says_of_another_site_is_believed(site: Any, where: str) -> None:
    assert site.get("/static/main.js", Sec_Fetch_Site=where).status_code == 403
    assert site.get("/api/model", Sec_Fetch_Site=where).status_code == 403
    assert httpx.get(site.service.url, headers={"Sec-Fetch-Site": where}).status_code == 200  # a link to the page


def test_without_the_token_there_is_nothing_to_be_had(site: Any) -> None:
    assert httpx.get(f"http://{site.host}/api/model").status_code == 401
    for token in ("x", site.token[:-1], f"{site.token}x", "%C3%A9"):
        assert site.get("/api/model", token=token).status_code == 401
        assert httpx.get(f"http://{site.host}/?token={token}").status_code == 401
        assert site.handshake(token=token) == 403
    refusal = httpx.get(f"http://{site.host}/")
    assert "open the address that `deltarule playground` has printed" in refusal.json()["error"]
    assert httpx.get(f"http://{site.host}/api/model?token={site.token}").status_code == 401  # addresses are logged


def test_every_launch_has_a_token_of_its_own(opened: Any) -> None:
    with opened() as one, opened() as other:
        assert one.token != other.token
        assert len(one.token) >= 32
        assert other.get("/api/model", token=one.token).status_code == 401


def test_every_answer_forbids_inline_code_and_foreign_frames(site: Any) -> None:
    for answer in (httpx.get(site.service.url), site.get("/static/main.js"), site.get("/api/nothing"), site.get("/x")):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert re.findall(r"'[\w-]*unsafe[\w-]*'", policy) == ["'wasm-unsafe-eval'"]
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


def test_a_browser_keeps_the_files_whose_address_is_of_their_content(site: Any) -> None:
    page = httpx.get(site.service.url)
    script = re.findall(r'src="(static/[0-9a-f]{16}/main\.js)"', page.text)[0]
    kept = site.get(f"/{script}")
    assert kept.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert kept.content == site.get("/static/main.js").content
    assert site.get(f"/{script}".replace("main.js", "train/run.js")).status_code == 200
    assert site.get(f"/static/{'0' * 16}/main.js").status_code == 404
    for answer in (page, site.get("/static/main.js"), site.get("/api/model"), site.get("/x")):
        assert answer.headers["cache-control"] == "no-store"


def test_no_page_holds_inline_code(site: Any) -> None:
    page = httpx.get(site.service.url).text
    assert " style=" not in page
    assert "<style" not in page
    assert " on" not in "".join(part.split(">")[0] for part in page.split("<"))
    assert all("src=" in part.split(">")[0] for part in page.split("<script")[1:])


@pytest.mark.parametrize(
    "name",
    [
        *("../server.py", "..%2Fserver.py", "%2e%2e/guard.py", "..%5Cserver.py", "/etc/passwd", "%2Fetc%2Fpasswd"),
        *("main.js%00", "index.html/../main.js/x", "nothing.js", "", "."),
    ],
)
def test_the_name_of_a_file_is_never_a_path(site: Any, name: str) -> None:
    status, answer = site.raw(f"GET /static/{name} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n")
    assert status == 404
    assert b"import" not in answer


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1:8000", True),
        ("LOCALHOST:8000", True),
        ("192.0.2.7:8000", False),
        ("127.0.0.1:80", False),
        ("127.0.0.1", False),
        ("[::1]:8000", False),
        ("127.0.0.1.evil.example:8000", False),
        ("evil.example@127.0.0.1:8000", False),
    ],
)
def test_the_names_of_the_server(host: str, is_own: bool) -> None:
    async def nothing(*ends: Any) -> None:
        await asyncio.sleep(0)

    assert Guard(nothing, 8000).is_own(host) == is_own
    assert Guard(nothing, 80).is_own("localhost")


def test_a_taken_port_is_said_so(site: Any) -> None:
    says = rf"got {site.service.port}, where another program listens .* --port 0 takes"
    with pytest.raises(SettingError, match=says):
        listen(site.service.port)


def test_no_route_serves_the_folder(site: Any) -> None:
    room = Path(__file__).parents[2] / "src" / "deltarule" / "playground"
    for file in room.glob("*.py"):
        assert site.get(f"/static/{file.name}").status_code == 404
