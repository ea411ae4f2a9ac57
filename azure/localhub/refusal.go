package localhub

import "fmt"

// Refusal is a no of the service side: the HTTP status and the error code that
// IoT Hub's REST interface gives (Azure: "IoT Hub error codes"). Find it with
// errors.As.
type Refusal struct {
	Status int    // of HTTP
	Code   int    // IoT Hub's, such as 404103
	Name   string // IoT Hub's, such as DeviceNotOnline
	Text   string // what it means here
}

// Error is one line: code, name, text.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%d %s: %s", r.Code, r.Name, r.Text)
}

func invalid(format string, args ...any) *Refusal {
	return &Refusal{400, 400004, "ArgumentInvalid", fmt.Sprintf(format, args...)}
}

func tooLarge(format string, args ...any) *Refusal {
	return &Refusal{413, 413001, "MessageTooLarge", fmt.Sprintf(format, args...)}
}

func notRegistered() *Refusal {
	return &Refusal{404, 404001, "DeviceNotFound", "no such device is registered"}
}

func notOnline(why string) *Refusal { return &Refusal{404, 404103, "DeviceNotOnline", why} }

func timedOut(text string) *Refusal { return &Refusal{504, 504101, "GatewayTimeout", text} }

func queueFull() *Refusal {
	return &Refusal{403, 403004, "DeviceMaximumQueueDepthExceeded", fmt.Sprintf("%d messages wait already", maxPending)}
}
