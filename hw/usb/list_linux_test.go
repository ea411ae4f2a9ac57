package usb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hilrig/record"
)

// tree is a machine's /sys and /dev/serial in a folder: plain files, and links
// as the kernel and udev make them.
type tree struct {
	t    *testing.T
	root string
}

func newTree(t *testing.T) tree {
	tr := tree{t, t.TempDir()}
	tr.dir("sys/class/tty")
	return tr
}

func (tr tree) dir(name string) {
	tr.t.Helper()
	if err := os.MkdirAll(filepath.Join(tr.root, name), 0o755); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr tree) file(name, text string) {
	tr.t.Helper()
	tr.dir(filepath.Dir(name))
	if err := os.WriteFile(filepath.Join(tr.root, name), []byte(text+"\n"), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

// link makes a relative link at name that leads to target, both below root.
func (tr tree) link(name, target string) {
	tr.t.Helper()
	tr.dir(filepath.Dir(name))
	to, err := filepath.Rel(filepath.Dir(name), target)
	if err != nil {
		tr.t.Fatal(err)
	}
	if err := os.Symlink(to, filepath.Join(tr.root, name)); err != nil {
		tr.t.Fatal(err)
	}
}

const usbBus = "sys/devices/pci0000:00/0000:00:14.0/usb1/"

// adapter plugs one in, at a socket such as 1-2; empty values have no file.
func (tr tree) adapter(socket, vid, pid, serial, maker, product string) {
	tr.file("sys/devices/pci0000:00/0000:00:14.0/usb1/idVendor", "1d6b") // the hub of the host: never the adapter
	for name, v := range map[string]string{"idVendor": vid, "idProduct": pid, "serial": serial, "manufacturer": maker, "product": product} {
		if v != "" {
			tr.file(usbBus+socket+"/"+name, v)
		}
	}
}

// usbSerial gives an interface of an adapter a ttyUSB.
func (tr tree) usbSerial(socket, number, tty, driver string) {
	face := usbBus + socket + "/" + socket + ":1." + strings.TrimPrefix(number, "0")
	tr.file(face+"/bInterfaceNumber", number)
	tr.link(face+"/driver", "sys/bus/usb/drivers/"+driver)
	tr.link(face+"/"+tty+"/driver", "sys/bus/usb-serial/drivers/"+driver)
	tr.dir(face + "/" + tty + "/tty/" + tty)
	tr.link(face+"/"+tty+"/tty/"+tty+"/device", face+"/"+tty)
	tr.link("sys/class/tty/"+tty, face+"/"+tty+"/tty/"+tty)
}

func (tr tree) acm(socket, number, tty string) {
	face := usbBus + socket + "/" + socket + ":1." + strings.TrimPrefix(number, "0")
	tr.file(face+"/bInterfaceNumber", number)
	tr.link(face+"/driver", "sys/bus/usb/drivers/cdc_acm")
	tr.dir(face + "/tty/" + tty)
	tr.link(face+"/tty/"+tty+"/device", face)
	tr.link("sys/class/tty/"+tty, face+"/tty/"+tty)
}

func (tr tree) udev(folder, name, tty string) { tr.link("dev/serial/"+folder+"/"+name, "dev/"+tty) }

func (tr tree) list() []Port {
	tr.t.Helper()
	ports, err := List(tr.root)
	if err != nil {
		tr.t.Fatal(err)
	}
	return ports
}

// bench is a machine with one of everything.
func bench(t *testing.T) tree {
	tr := newTree(t)
	tr.adapter("1-1", "0403", "6001", "A50285BI", "FTDI", "FT232R USB UART")
	tr.usbSerial("1-1", "00", "ttyUSB10", "ftdi_sio")
	tr.udev("by-id", "usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0", "ttyUSB10")
	tr.udev("by-path", "pci-0000:00:14.0-usb-0:1:1.0-port0", "ttyUSB10")
	tr.udev("by-path", "pci-0000:00:14.0-usbv2-0:1:1.0-port0", "ttyUSB10")
	for i, socket := range []string{"1-2", "1-3"} { // two alike: no serial number, one name in by-id for both
		tty := "ttyUSB" + string(rune('0'+i))
		tr.adapter(socket, "1A86", "7523", "", "", "USB Serial")
		tr.usbSerial(socket, "00", tty, "ch341-uart")
		tr.udev("by-path", "pci-0000:00:14.0-usb-0:"+socket[2:]+":1.0-port0", tty)
	}
	tr.udev("by-id", "usb-1a86_USB_Serial-if00-port0", "ttyUSB1")
	tr.adapter("1-4", "0403", "6011", "FT9ABCDE", "FTDI", "Quad RS232-HS")
	for i, number := range []string{"00", "01", "02", "03"} {
		tty := "ttyUSB" + string(rune('2'+i))
		tr.usbSerial("1-4", number, tty, "ftdi_sio")
		tr.udev("by-path", "pci-0000:00:14.0-usb-0:4:1."+number[1:]+"-port0", tty)
	}
	tr.adapter("1-5", "303a", "1001", "7C:DF:A1:E0:00:00", "Espressif", "USB JTAG/serial debug unit")
	tr.acm("1-5", "00", "ttyACM0")
	// A port of the board, one that is not there, and what is no port at all.
	for tty, kind := range map[string]string{"ttyS0": "4", "ttyS1": "0"} {
		base := "sys/devices/pnp0/" + tty
		tr.link(base+"/driver", "sys/bus/pnp/drivers/serial")
		tr.link(base+"/core/driver", "sys/bus/serial-base/drivers/port")
		tr.file(base+"/core/tty/"+tty+"/type", kind)
		tr.link(base+"/core/tty/"+tty+"/device", base+"/core")
		tr.link("sys/class/tty/"+tty, base+"/core/tty/"+tty)
	}
	for _, tty := range []string{"tty0", "console", "ptmx", "ttyprintk"} {
		tr.dir("sys/devices/virtual/tty/" + tty)
		tr.link("sys/class/tty/"+tty, "sys/devices/virtual/tty/"+tty)
	}
	tr.udev("by-id", "usb-left-over", "ttyUSB99")
	return tr
}

func TestListDescribesEachPort(t *testing.T) {
	got := map[string]Port{}
	var order []string
	for _, p := range bench(t).list() {
		p.links = nil
		got[p.Path] = p
		order = append(order, strings.TrimPrefix(p.Path, "/dev/tty"))
	}
	if want := "ACM0 S0 USB0 USB1 USB2 USB3 USB4 USB5 USB10"; strings.Join(order, " ") != want {
		t.Errorf("ports %v, want %s", order, want)
	}
	for _, want := range []Port{
		{Path: "/dev/ttyUSB10", ByID: "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
			ByPath: "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0", Serial: "A50285BI", VID: "0403", PID: "6001",
			Interface: "00", Manufacturer: "FTDI", Product: "FT232R USB UART", Driver: "ftdi_sio", USB: true},
		{Path: "/dev/ttyUSB0", ByPath: "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", VID: "1a86", PID: "7523",
			Interface: "00", Product: "USB Serial", Driver: "ch341-uart", USB: true},
		{Path: "/dev/ttyUSB4", ByPath: "/dev/serial/by-path/pci-0000:00:14.0-usb-0:4:1.2-port0", Serial: "FT9ABCDE", VID: "0403",
			PID: "6011", Interface: "02", Manufacturer: "FTDI", Product: "Quad RS232-HS", Driver: "ftdi_sio", USB: true},
		{Path: "/dev/ttyACM0", Serial: "7C:DF:A1:E0:00:00", VID: "303a", PID: "1001", Interface: "00",
			Manufacturer: "Espressif", Product: "USB JTAG/serial debug unit", Driver: "cdc_acm", USB: true},
		{Path: "/dev/ttyS0", Driver: "serial"},
	} {
		p := got[want.Path]
		if p.String() != want.String() || p.ByID != want.ByID || p.ByPath != want.ByPath || p.Driver != want.Driver ||
			p.Manufacturer != want.Manufacturer || p.Product != want.Product || p.USB != want.USB {
			t.Errorf("%s:\n got %+v\nwant %+v", want.Path, p, want)
		}
	}
}

func TestFind(t *testing.T) {
	ports := bench(t).list()
	for _, c := range []struct{ want, path string }{
		{"A50285BI", "/dev/ttyUSB10"},
		{"0403:6001", "/dev/ttyUSB10"},
		{"0403:6001/A50285BI", "/dev/ttyUSB10"},
		{"A50285BI:00", "/dev/ttyUSB10"},
		{"pci-0000:00:14.0-usb-0:3:1.0-port0", "/dev/ttyUSB1"},
		{"/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", "/dev/ttyUSB0"},
		{"pci-0000:00:14.0-usbv2-0:1:1.0-port0", "/dev/ttyUSB10"},
		{"usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0", "/dev/ttyUSB10"},
		{"FT9ABCDE:02", "/dev/ttyUSB4"},
		{"FT9ABCDE:3", "/dev/ttyUSB5"},
		{"0403:6011/FT9ABCDE:1", "/dev/ttyUSB3"},
		{"0403:6011:0", "/dev/ttyUSB2"},
		{"303A:1001", "/dev/ttyACM0"},
		{"7C:DF:A1:E0:00:00", "/dev/ttyACM0"},
		{"7C:DF:A1:E0:00:00:00", "/dev/ttyACM0"},
	} {
		if p, err := Find(ports, c.want); err != nil || p.Path != c.path {
			t.Errorf("%s: %s, %v, want %s", c.want, p.Path, err, c.path)
		}
	}
}

// A board that cannot be asked for its serial number is known by its adapter's.
func TestSerialOfAPort(t *testing.T) {
	tr := bench(t)
	for path, want := range map[string]string{"/dev/ttyUSB10": "A50285BI", "/dev/ttyUSB0": "", "/dev/ttyUSB4": "FT9ABCDE", "/dev/none": ""} {
		if got, err := SerialOf(tr.root, path); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", path, got, err, want)
		}
	}
}

func TestFindNamesWhatIsThere(t *testing.T) {
	ports := bench(t).list()
	for _, c := range []struct {
		want  string
		cause error
		words []string
	}{
		{"NOSUCH", ErrNone, []string{"usb NOSUCH", "/dev/ttyUSB10 (0403:6001, serial A50285BI", "/dev/ttyACM0", "hilrig devices"}},
		{"", ErrNone, nil},
		{"0403:6001/OTHER", ErrNone, []string{"A50285BI"}},
		{"FT9ABCDE:7", ErrNone, []string{"interface 03"}},
		{"FT9ABCDE:zz", ErrNone, nil},
		{"FT9ABCDE", ErrSeveral, []string{"/dev/ttyUSB2", "/dev/ttyUSB5", "say which: FT9ABCDE:00 or FT9ABCDE:01"}},
		{"1a86:7523", ErrSeveral, []string{"no serial number", "say which: pci-0000:00:14.0-usb-0:2:1.0-port0 or "}},
	} {
		_, err := Find(ports, c.want)
		if !errors.Is(err, c.cause) || record.ClassOf(err) != record.RigPort {
			t.Errorf("%q: %v", c.want, err)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v does not say %q", c.want, err, w)
			}
		}
		if strings.Contains(err.Error(), "ttyS0") {
			t.Errorf("%q: %v names a port that is not on USB", c.want, err)
		}
	}
	if _, err := Find(nil, "A50285BI"); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "none is plugged in") {
		t.Errorf("%v", err)
	}
}

// Each port of the bench can be told apart, and its name leads back to it.
func TestNameOf(t *testing.T) {
	ports := bench(t).list()
	for _, p := range ports {
		name := NameOf(p, ports)
		if !p.USB {
			if name != "" {
				t.Errorf("%s has the name %s", p.Path, name)
			}
			continue
		}
		if found, err := Find(ports, name); err != nil || found.Path != p.Path {
			t.Errorf("%s is %q, which finds %s, %v", p.Path, name, found.Path, err)
		}
	}
	twins := []Port{{Path: "a", USB: true, VID: "1a86", PID: "7523"}, {Path: "b", USB: true, VID: "1a86", PID: "7523"}}
	if name := NameOf(twins[0], twins); name != "" {
		t.Errorf("nothing tells them apart, yet %q", name)
	}
	if _, err := Find(twins, "1a86:7523"); err == nil || !strings.Contains(err.Error(), "nothing tells them apart") {
		t.Errorf("%v", err)
	}
}

func TestListWithoutUdevAndWithoutSysfs(t *testing.T) {
	tr := bench(t)
	if err := os.RemoveAll(filepath.Join(tr.root, "dev")); err != nil {
		t.Fatal(err)
	}
	ports := tr.list()
	if len(ports) != 9 || slices.ContainsFunc(ports, func(p Port) bool { return p.ByID+p.ByPath != "" }) {
		t.Errorf("%v", ports)
	}
	_, err := List(t.TempDir())
	if !errors.Is(err, fs.ErrNotExist) || record.ClassOf(err) != record.RigHost {
		t.Errorf("no sysfs: %v", err)
	}
}

// What the machine itself says must at least be readable.
func TestListThisMachine(t *testing.T) {
	if _, err := os.Stat("/sys/class/tty"); err != nil {
		t.Skip("no /sys/class/tty")
	}
	ports, err := List("/")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ports {
		t.Log(p, p.Driver)
		if p.USB == (p.VID == "") || !strings.HasPrefix(p.Path, "/dev/") {
			t.Errorf("%+v", p)
		}
	}
}

// A selector comes from a rig file: whatever it is, one port or a failure.
func FuzzFind(f *testing.F) {
	ports := []Port{
		{Path: "/dev/ttyUSB0", USB: true, VID: "0403", PID: "6011", Serial: "FT:1", Interface: "01"},
		{Path: "/dev/ttyUSB1", USB: true, VID: "0403", PID: "6011", Serial: "FT:1", Interface: "02"},
		{Path: "/dev/ttyUSB2", USB: true, VID: "1a86", PID: "7523", links: []string{"pci-0"}},
		{Path: "/dev/ttyS0"},
	}
	for _, s := range []string{"", ":", "FT:1", "FT:1:2", "0403:6011", "0403:6011/", "0403:6011/FT:1:01", "pci-0", "1A86:7523:", "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, want string) {
		p, err := Find(ports, want)
		if err == nil && !p.USB || err != nil && (p.Path != "" || record.ClassOf(err) != record.RigPort) {
			t.Errorf("%q: %+v, %v", want, p, err)
		}
	})
}
