import pytest

FORM = "/AcroForm << /Fields [{}] /DA (/F1 12 Tf 0 g) >>"


def field(kind, name, more, box="150 700 350 720"):
    return f"<< /Type /Annot /Subtype /Widget /FT /{kind} /T ({name}) /Rect [{box}] {more} >>"


@pytest.fixture
def form(draw_pdf):
    """Return a function that makes a page with the given text and fields or notes on it."""

    def make(commands, objects):
        names = " ".join(f"{100 + n} 0 R" for n in range(len(objects)))
        return draw_pdf([commands], objects, page=f"/Annots [{names}]", catalog=FORM.format(names))

    return make


@pytest.mark.parametrize(
    ("objects", "text"),
    [
        ([field("Tx", "surname", "/V (Harald Blue)")], "surname: Harald Blue"),
        ([field("Tx", "f1", "/V (Harald) /TU (Your name:)")], "Your name: Harald"),
        ([field("Tx", "f1", "/V <FEFF00C600740068006500720020306F>")], "f1: Æther は"),
        ([field("Ch", "port", "/Ff 131072 /V (Oslo) /Opt [(Oslo) (Rome)]")], "port: Oslo"),
        ([field("Ch", "port", "/Ff 2097152 /V [(Oslo) (Rome)] /Opt [(Oslo) (Rome) (Bonn)]")], "port: Oslo, Rome"),
        ([field("Ch", "port", "/Ff 131072 /V (os) /Opt [[(os) (Oslo, Norway)] [(ro) (Rome)]]")], "port: Oslo, Norway"),
        ([field("Btn", "lunch", "/V /Yes /AS /Yes /AP << /N << /Yes 4 0 R /Off 4 0 R >> >>")], "[x] lunch"),
        ([field("Btn", "lunch", "/V /Off /AS /Off /AP << /N << /Yes 4 0 R /Off 4 0 R >> >>"),
          field("Tx", "a", "/V (b)")], "a: b"),
        ([field("Tx", "pin", "/Ff 8192 /V (4711)"), field("Tx", "empty", "/Ff 8192 /V ()")], "pin: ••••"),
        ([field("Tx", "hidden", "/V (x) /F 2"), field("Tx", "a", "/V (b)")], "a: b"),
        (["<< /Type /Annot /Subtype /FreeText /Contents (Typed on the page) /Rect [0 0 9 9] >>"], "Typed on the page"),
        (["<< /Type /Annot /Subtype /Text /Contents (Ask Ann) /Rect [0 0 9 9] >>",
          "<< /Type /Annot /Subtype /Popup /Contents (Ask Ann) /Rect [0 0 9 9] >>",
          "<< /Type /Annot /Subtype /Highlight /Contents (Check) /Rect [0 0 9 9] >>"], "Note: Ask Ann\nNote: Check"),
    ],
)  # fmt: skip
def test_values_of_fields_and_notes_are_text(read_file, form, objects, text):
    result = read_file("a.pdf", form("", objects))
    assert (result.document.text, result.notes) == (text, ())


def test_fields_are_named_after_the_text_beside_them(read, form, line):
    objects = [
        field("Tx", "f1", "/V (Harald Blue)", "150 695 350 715"),
        field("Btn", "f2", "/V /Yes /AS /Yes /AP << /N << /Yes 4 0 R /Off 4 0 R >> >>", "50 645 60 665"),
    ]
    page = line(50, 700, "Your surname:") + "\n" + line(70, 650, "With lunch")
    text = read("a.pdf", form(page, objects)).text
    assert text == "Your surname:\nWith lunch\nYour surname: Harald Blue\n[x] With lunch"


def test_forms_in_xml_give_their_texts_and_data(read, draw_pdf, line):
    template = "<template><field><caption><value><text>Surname</text></value></caption></field></template>"
    datasets = "<x:datasets xmlns:x='u'><x:data><form><surname>Blue</surname><empty/></form></x:data></x:datasets>"
    streams = [
        f"<< /Length {len(packet)} >>\nstream\n{packet}\nendstream" for packet in (template, datasets, "<broken")
    ]
    xfa = "/AcroForm << /Fields [] /XFA [(template) 100 0 R (datasets) 101 0 R (form) 102 0 R] >>"
    text = read("a.pdf", draw_pdf([line(50, 700, "Please wait")], streams, catalog=xfa)).text
    assert text == "Please wait\nSurname\nsurname: Blue"


def test_a_field_without_a_form_has_its_value(read, draw_pdf):
    objects = [field("Tx", "surname", "/V (Harald Blue)"), field("Tx", "pin", "/Ff 8192 /V (4711)")]
    text = read("a.pdf", draw_pdf([""], objects, page="/Annots [100 0 R 101 0 R]")).text
    assert text == "surname: Harald Blue\npin: ••••"


@pytest.mark.parametrize("end", ["</surname></form>", "</form>"])
def test_a_form_in_one_stream_of_xml_is_read_even_if_it_is_broken(read, draw_pdf, end):
    packets = (
        "<template><value><text>Surname</text></value></template><config><a>no data</a></config>"
        f"<x:datasets xmlns:x='u'><form><surname>Blue{end}</x:datasets>"
    )
    form = f"<xdp:xdp xmlns:xdp='v'>{packets}</xdp:xdp>"
    stream = f"<< /Length {len(form)} >>\nstream\n{form}\nendstream"
    page = draw_pdf([""], [stream], catalog="/AcroForm << /Fields [] /XFA 100 0 R >>")
    assert read("a.pdf", page).text == "Surname\nsurname: Blue"


def test_a_form_that_declares_entities_is_told_of(read_file, draw_pdf, line):
    form = "<!DOCTYPE a [<!ENTITY x 'y'>]><datasets>&x;</datasets>"
    stream = f"<< /Length {len(form)} >>\nstream\n{form}\nendstream"
    page = draw_pdf([line(50, 700, "Words.")], [stream], catalog="/AcroForm << /Fields [] /XFA 100 0 R >>")
    assert read_file("a.pdf", page).notes == (
        "the form in it is not read: the XML declares entities, which can be used to attack; remove them",
    )
