import json
import re

from qdrant_embed.explore.web_app import static_files

MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")


def test_the_page_names_no_other_place_and_makes_no_markup_of_texts():
    for name, text in static_files().items():
        found = re.findall(r"https?://[^\s\"'<>)]+", text)
        assert set(found) <= {"http://www.w3.org/2000/svg"}, name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            name
        )


def test_every_file_that_the_page_names_is_there_and_small():
    files = static_files()
    named = set(re.findall(r'(?:from "\./|src="|href=")([\w.-]+)"', "\n".join(files.values())))
    assert named <= set(files)
    assert set(files) - named == {"index.html", "widget.js"}
    assert max(text.count("\n") for text in files.values()) <= 300


def test_static_files_have_their_types(request_page):
    assert request_page("GET", "").headers["content-type"] == "text/html; charset=utf-8"
    assert request_page("GET", "base.css").headers["content-type"] == "text/css; charset=utf-8"
    assert request_page("GET", "shell.js").headers["content-type"] == "text/javascript; charset=utf-8"


def test_what_is_asked_over_http_is_what_the_session_answers(request_page, session):
    asked = {"query": "master keys", "k": 3}
    assert request_page("POST", "api/search", json=asked).json() == json.loads(json.dumps(session.ask("search", asked)))
    refused = request_page("POST", "api/nothing", json={})
    assert refused.status_code == 400
    assert "known: about" in refused.json()["error"]
