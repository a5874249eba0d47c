"""The page as people see it: in Debian's Chromium, without a screen."""

import pytest

from qdrant_embed.explore.notebook_widget import joined_modules, joined_styles
from tests.explore.chromium import BROWSER, DRIVER, Chromium

pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="there is no chromium with its chromedriver here")
SLASH, ESCAPE, DOWN, ENTER = "/", "\ue00c", "\ue015", "\ue007"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = Chromium(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture
def shown(browser, harbour):
    """Open the page of the harbour, and see at the end that nothing went wrong in it."""
    with harbour.explore() as page:
        browser.size(1200, 800)
        browser.open(page.url)
        browser.wait("document.querySelector('.question') !== null")
        yield page
        assert browser.complaints() == []
        asked = browser.run("return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)")
        assert set(asked) == {page.url.rpartition("/")[0].rpartition("/")[0]}
        browser.open("about:blank")


def search(browser, query):
    browser.run("document.activeElement.blur()")
    browser.press(SLASH)
    browser.run("document.querySelector('.question').value = ''")
    browser.press(*query, ENTER)
    browser.wait("document.querySelectorAll('.hit').length > 0")


def go(browser, view):
    browser.run("document.querySelector(`[data-view=${arguments[0]}]`).click()", view)


def test_a_question_is_asked_and_a_document_opened_by_the_keyboard(browser, shown, harbour):
    search(browser, "master keys")
    places = browser.run("return [...document.querySelectorAll('.hit .place')].map((one) => one.textContent)")
    assert places == [hit.place for hit in harbour.search("master keys", k=10)]
    marked = browser.run(
        "return [...document.querySelectorAll('.hit mark')].map((one) => one.textContent.toLowerCase())"
    )
    assert {"master keys", "keys"} & set(marked)
    assert browser.run("return document.querySelectorAll('.hit .why .shares dt').length") >= 2
    browser.press(DOWN, ENTER)
    browser.wait("document.querySelector('.document .chunk.current mark') !== null")
    assert browser.run("return document.querySelectorAll('.document .chunk').length") == len(
        harbour.chunks(harbour.search("master keys", k=1)[0].source)
    )
    browser.press(ESCAPE)
    browser.wait("document.querySelector('.document').hidden")


def test_filters_and_modes_are_those_of_the_library(browser, shown, harbour):
    browser.run(
        "const [field, value] = document.querySelectorAll('.filter-editor input'); field.value = 'source';"
        "value.value = 'guide/*'; document.querySelector('.filter-editor button').click()"
    )
    browser.run("document.querySelector('.options select').value = 'bm25'")
    search(browser, "crane")
    places = browser.run("return [...document.querySelectorAll('.hit .place')].map((one) => one.textContent)")
    assert places == [hit.place for hit in harbour.search("crane", k=10, mode="bm25", filter={"source": "guide/*"})]


def test_hostile_texts_stay_texts(browser, shown):
    title = browser.run("return document.title")
    search(browser, "harbour script")
    browser.run(
        "[...document.querySelectorAll('.hit-open')].find((one) => one.textContent.includes('bold')).click()",
    )
    browser.wait("document.querySelector('.document .chunk') !== null")
    assert "onerror" in browser.run("return document.querySelector('.document .chunk-text').textContent")
    assert browser.run("return document.querySelector('.document h2').textContent") == "<i>title</i>"
    assert (
        browser.run("return document.querySelectorAll('#app img, #app script, #app b, #app i, #app u, #app s').length")
        == 0
    )
    assert browser.run("return document.title") == title


def test_the_policy_refuses_markup_scripts_and_other_machines(browser, harbour):
    with harbour.explore() as page:
        browser.open(page.url)
        refused = browser.run(
            "try { document.body.innerHTML = '<b>x</b>'; return false } catch (error) { return error.name }"
        )
        assert refused == "TypeError"
        browser.run("fetch('http://127.0.0.1:9/').catch(() => { window.refused = true })")
        browser.wait("window.refused")
        assert any("Content Security Policy" in one for one in browser.complaints())
        browser.open("about:blank")


def test_points_are_drawn_around_listed_and_searched_in(browser, shown, harbour):
    go(browser, "map")
    browser.wait("document.querySelector('.waiting').hidden")
    browser.wait("document.querySelector('.side .empty') !== null")
    left, top, width, height = browser.run(
        "const box = document.querySelector('.overlay').getBoundingClientRect();"
        "return [box.left, box.top, box.width, box.height]"
    )
    browser.run("document.querySelector('.group').focus()")
    browser.press(ENTER)
    browser.wait("document.querySelectorAll('.rows .row').length > 0")
    assert len(shown.selection) == int(browser.run("return document.querySelector('.side h2').textContent").split()[0])
    browser.run("document.querySelector('.tool').click()")
    around = [(0.3, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.15), (0.28, 0.15)]
    browser.draw([(left + x * width, top + y * height) for x, y in around])
    browser.wait("document.querySelector('.side h2').textContent.startsWith(arguments[0])", str(harbour.count()))
    browser.wait("document.querySelectorAll('.rows .row').length > 0")
    count = browser.run("return document.querySelector('.side h2').textContent")
    assert count == f"{harbour.count()} points selected"
    assert len(shown.selection) == harbour.count()
    browser.run("[...document.querySelectorAll('.actions button')][0].click()")
    browser.wait(
        "document.querySelector('.search .check input[type=checkbox]') && !document.querySelector('.search').hidden"
    )
    search(browser, "herring")
    assert browser.run("return document.querySelector('.hit .place').textContent").startswith("notes/fish.txt")


def test_every_view_fits_a_narrow_screen(browser, shown):
    browser.size(400, 760)
    search(browser, "where is cod landed")
    for view in ("search", "map", "documents", "statistics", "settings"):
        go(browser, view)
        browser.wait("document.querySelector('.main').scrollWidth <= 400")
        assert browser.run("return document.documentElement.scrollWidth") <= 400
    browser.wait("document.querySelectorAll('.card').length > 4")


def test_the_theme_is_switched(browser, shown):
    color = "getComputedStyle(document.querySelector('.qe')).backgroundColor"
    before = browser.run(f"return {color}")
    browser.run("document.querySelector('[aria-label^=\"Switch\"]').click()")
    assert browser.run(f"return {color}") != before


def test_the_widget_shows_the_same_by_messages_in_two_views_of_it(browser, session):
    browser.open("about:blank")
    browser.run(
        "const style = document.createElement('style'); style.textContent = arguments[1];"
        "document.head.append(style); window.sent = []; window.takers = [];"
        "const model = {send: (one) => sent.push(one), on: (event, take) => takers.push(take), off() {}};"
        "const place = URL.createObjectURL(new Blob([arguments[0]], {type: 'text/javascript'}));"
        "const [one, other] = [document.createElement('div'), document.createElement('div')];"
        "document.body.append(one, other); one.id = 'one';"
        "import(place).then((found) => { window.ends = [other, one].map((el) => found.default.render({model, el})) })",
        joined_modules(),
        joined_styles(),
    )

    def answer_until(condition):
        for _ in range(400):
            if browser.run(f"return {condition}"):
                return
            for asked in browser.run("return sent.splice(0)"):
                found = session.ask(asked["name"], asked["given"])
                browser.run("takers.forEach((take) => take(arguments[0]))", {"number": asked["number"], "found": found})
        raise AssertionError(browser.run("return document.body.innerText"))

    answer_until("document.querySelectorAll('.question').length === 2")
    browser.run(
        "document.querySelector('#one .question').value = 'master keys';"
        "document.querySelector('#one .asking').requestSubmit()"
    )
    answer_until("document.querySelectorAll('#one .hit mark').length > 0")
    browser.run("document.querySelector('#one [data-view=map]').click()")
    answer_until("document.querySelector('#one .waiting').hidden")
    assert browser.run("return document.querySelectorAll('.hit').length") == browser.run(
        "return document.querySelectorAll('#one .hit').length"
    )
    browser.run("ends.forEach((end) => end())")
    assert browser.complaints() == []
    asked = browser.run("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert all(one.startswith("blob:") for one in asked)
