package html_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"hilrig/record"
	"hilrig/reports/html"
)

// The keys do in a real browser what the page says of them.
func TestAShelfIsSiftedByKeyboard(t *testing.T) {
	const press = `<script>
var key = function (k) { document.body.dispatchEvent(new KeyboardEvent('keydown', {key: k, bubbles: true, cancelable: true})); };
var says = function (what) { document.title += '|' + what + ': ' + document.querySelector('.sift span').textContent; };
key('n'); says('n');
key('/'); document.activeElement.value = 'b8'; document.activeElement.dispatchEvent(new Event('input', {bubbles: true})); says('b8');
document.title += '|cards ' + document.querySelectorAll('section.f:not(.out)').length + ', b3 seen ' + document.querySelector('th[data-name=b3]').offsetWidth;
document.title += ', left with: ' + Array.from(document.querySelectorAll('td.dim[colspan="8"]')).filter(function (x) { return x.offsetWidth; }).length;
document.activeElement.value = 'version'; document.activeElement.dispatchEvent(new Event('input', {bubbles: true})); says('version');
key('Escape'); says('Escape');
</script></body>`
	title := chromium(t, strings.Replace(render(t, shelf(), ""), "</body>", press, 1))
	title = title[strings.Index(title, "<title>")+len("<title>") : strings.Index(title, "</title>")]
	_, got, _ := strings.Cut(title, "|")
	want := "n: 1 of 2 specs, 4 of 8 devices|b8: 1 of 2 specs, 1 of 8 devices|cards 1, b3 seen 0, left with: 1|version: 0 of 2 specs, 4 of 8 devices|Escape: "
	if got != want {
		t.Errorf("the page says\n%s, want\n%s", got, want)
	}
}

// A hit in a fold is shown, as is one on a board that a line does not name; folds
// without a hit are left out, and what was opened is closed again.
func TestASearchOpensFolds(t *testing.T) {
	r := example()
	for i := range 40 {
		r.Devices[0].Specs = append(r.Devices[0].Specs, record.SpecResult{ID: fmt.Sprint("soak/", i), Verdict: record.Fail, Class: record.ClassDevice, Seen: fmt.Sprint("nothing ", strings.Repeat("x", i))})
	}
	r.Devices[0].Specs[len(r.Devices[0].Specs)-40].Output = []string{"rst:0x8 brownout"}
	for i := range 9 {
		r.Devices = append(r.Devices, record.DeviceRecord{Name: fmt.Sprint("more-", i), Type: "ads300", Specs: []record.SpecResult{{ID: "tls/alike", Verdict: record.Fail, Class: record.ClassDevice, Seen: "no answer"}}})
	}
	r.Conclude()
	const press = `<script>
var form = document.querySelector('.sift'), seen = function (x) { return x.checkVisibility(); };
var find = function (what) {
	form.find.value = what; form.find.dispatchEvent(new Event('input', {bubbles: true}));
	var lines = Array.from(document.querySelectorAll('ul.short .seek')).filter(seen).length, open = Array.from(document.querySelectorAll('details[open]')).filter(seen).length;
	document.title += '|' + what + ': ' + lines + ' lines, ' + open + ' open, ' + Array.from(document.querySelectorAll('summary')).filter(seen).length + ' folds';
};
find('soak/39'); find('more-8'); find('brownout'); find('');
</script></body>`
	title := chromium(t, strings.Replace(render(t, r, ""), "</body>", press, 1))
	title = title[strings.Index(title, "<title>")+len("<title>") : strings.Index(title, "</title>")]
	_, got, _ := strings.Cut(title, "|")
	want := "soak/39: 1 lines, 1 open, 1 folds|more-8: 1 lines, 0 open, 0 folds|brownout: 0 lines, 1 open, 1 folds|: 15 lines, 0 open, 2 folds"
	if got != want {
		t.Errorf("the page says\n%s, want\n%s", got, want)
	}
}

// Without its script a page speaks of no keys, and what is red does not stand
// below what changed.
func TestAPageOffersWhatIsThere(t *testing.T) {
	var page bytes.Buffer
	e := &html.Earlier{Since: &html.Since{ID: "20261121T231501Z-7f39"}}
	if err := html.Write(&page, example(), html.Options{Earlier: e}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), `class="dim hint" hidden`) {
		t.Error("keys are offered where no script listens")
	}
	since, short := strings.Index(page.String(), `id="since"`), strings.Index(page.String(), `<ul class="short">`)
	if since < 0 || short < 0 || since < short {
		t.Errorf("what changed at %d, what is red at %d", since, short)
	}
}
