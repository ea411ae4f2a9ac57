package html_test

import (
	stdhtml "html"
	"strings"
	"testing"

	"hilrig/record"
)

// Nothing runs out of its box where there is no scrolling to it: on a telephone,
// where only what is in a box that scrolls may be wider, and on paper, where
// nothing scrolls.
func TestWhatAPageSaysHasRoom(t *testing.T) {
	high := 15.0
	r := shelf()
	for i := range r.Devices {
		d := &r.Devices[i]
		d.Port = "/dev/serial/by-id/usb-Silicon_Labs_CP2102N_USB_to_UART_Bridge_Controller_8a4d1f3b6a2ded11b1c2d4e5f6a7b8c9-if00-port0"
		d.Hub.Address = "hub-of-the-laboratory.example.com:8883"
		d.Thumbprints.SHA1 = strings.Repeat("9A", 20)
		d.Running.SHA256 = strings.Repeat("9a", 32)
		d.Specs[0].ID = "provisioning/rejects-unknown-slot"
		d.Specs[0].Measurements = append(d.Specs[0].Measurements, record.Measurement{Name: "time to the first message", Value: 0.123 * float64(i+1), Unit: "s", High: &high}.Judge())
	}
	r.Conclude()
	for name, tt := range map[string]struct{ width, scrolls, media string }{
		"telephone": {"390", ".scroll *", "@media print{"},
		"paper":     {"718", "none", "@media all{"}, // A4 within its margins
	} {
		t.Run(name, func(t *testing.T) {
			const ask = `<script>addEventListener('load', function () {
	var frame = document.querySelector('iframe'), page = frame.contentDocument, out = {};
	page.querySelectorAll('main *').forEach(function (x) {
		if (x.matches('SCROLLS')) return;
		var r = x.getBoundingClientRect();
		if (r.width && r.right > frame.clientWidth) out[x.tagName + '.' + x.className] = Math.round(r.right);
	});
	document.title = 'measured ' + page.querySelectorAll('.measured td, .devices td').length + ' out ' + JSON.stringify(out);
});</script>`
			page := `<!doctype html><title></title><iframe width="` + tt.width + `" height="900" style="border:0" srcdoc="` + stdhtml.EscapeString(strings.Replace(render(t, r, ""), "@media print{", tt.media, 1)) + `"></iframe>` +
				strings.Replace(ask, "SCROLLS", tt.scrolls, 1)
			title := chromium(t, page)
			title = title[strings.Index(title, "<title>")+len("<title>") : strings.Index(title, "</title>")]
			if strings.HasPrefix(title, "measured 0 ") || !strings.HasSuffix(title, " out {}") {
				t.Errorf("%s wide: %s", tt.width, title)
			}
		})
	}
}
