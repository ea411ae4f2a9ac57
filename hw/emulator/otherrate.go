package emulator

import "hilrig/hw/emulator/uart"

// otherRate is a line whose two sides have different rates, this one half the
// other's: of two bytes one is seen, and it is none that was sent. That its
// stop bit stood where a data bit was meant sets the highest bit.
type otherRate struct{ uart.Line }

func (w otherRate) Read(p []byte, taking func(bool)) (int, error) {
	n, err := w.Line.Read(p, taking)
	copy(p, torn(p[:n]))
	return max(min(n, 1), (n+1)/2), err
}

func (w otherRate) Write(p []byte) (int, error) {
	n, err := w.Line.Write(torn(p))
	return min(2*n, len(p)), err
}

// torn is what of some bytes arrives.
func torn(p []byte) []byte {
	out := make([]byte, 0, len(p)/2+1)
	for i := 0; i < len(p); i += 2 {
		out = append(out, 0x80|^p[i])
	}
	return out
}
