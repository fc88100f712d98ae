"""A report as Chromium shows it: nothing but the file is asked for, and nothing is wrong with it."""

import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def file(project, tmp_path_factory, forks):
    folder = shutil.copytree(project, tmp_path_factory.mktemp("browser") / "project")
    done = forks.run("report", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run" / "report.html"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tools:
        opened = tools.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def show(browser, file):
    """Opens the page as `show(width, scheme)`, and holds that nothing was asked for or complained of."""
    contexts, requests, complaints = [], [], []

    def opened(width=1100, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == [] and set(requests) == {file.as_uri()}


def colour(page, selector, name):
    return page.eval_on_selector(selector, f"element => getComputedStyle(element)['{name}']")


def luminance(rgb):
    return sum(map(float, rgb.removeprefix("rgb(").removesuffix(")").split(","))) / 3


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_paper_and_ink_follow_the_system(show, scheme, is_dark):
    page = show(scheme=scheme)
    paper = luminance(colour(page, "body", "backgroundColor"))
    assert (paper < 60) == is_dark
    for selector, name in [
        ("body", "color"),
        ("svg.chart text", "fill"),
        (".note", "color"),
        (".fill", "fill"),
    ]:
        assert abs(luminance(colour(page, selector, name)) - paper) > 60, selector
    assert page.locator("svg.chart").count() >= 5


@pytest.mark.parametrize("width", [320, 390, 800, 1600])
def test_no_screen_is_too_narrow(show, width):
    page = show(width)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    box = page.locator("svg.chart").first.bounding_box()
    assert 250 < box["width"] <= width and box["height"] > 150


def test_an_epoch_and_a_point_are_hovered_over(show):
    page = show()
    for selector in (".bands path >> nth=3", ".points use >> nth=3", "svg.histogram g >> nth=1"):
        mark = page.locator(selector)
        mark.scroll_into_view_if_needed()
        mark.hover(timeout=5000, force=selector.startswith(".points"))
        assert len(mark.locator("title").first.text_content()) > 5
    band = page.locator(".bands path >> nth=3")
    assert band.locator("title").text_content().startswith("epoch 4: training ")
    shade = "element => Number(getComputedStyle(element).fillOpacity)"
    assert band.evaluate(shade) < 0.01
    band.hover(timeout=5000)
    assert band.evaluate(shade) > 0.1


def test_names_are_shown_as_they_are(show):
    page = show()
    assert page.locator("text=풍속 등급").count() >= 2
    assert page.locator("h1").first.inner_text().startswith("소요 시간")


def test_it_prints_on_paper(show):
    page = show(scheme="dark")
    content = page.pdf(format="A4")
    assert content.startswith(b"%PDF") and len(content) > 50_000
