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
	Said   string // what IoT Hub's own answer says instead, where that is known
}

// Error is one line: code, name, text.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%d %s: %s", r.Code, r.Name, r.Text)
}

func invalid(format string, args ...any) *Refusal {
	return &Refusal{Status: 400, Code: 400004, Name: "ArgumentInvalid", Text: fmt.Sprintf(format, args...)}
}

func tooLarge(format string, args ...any) *Refusal {
	return &Refusal{Status: 413, Code: 413001, Name: "MessageTooLarge", Text: fmt.Sprintf(format, args...)}
}

func notRegistered(id string) *Refusal {
	return &Refusal{Status: 404, Code: 404001, Name: "DeviceNotFound", Text: "no such device is registered", Said: id}
}

func notOnline(why string) *Refusal {
	return &Refusal{Status: 404, Code: 404103, Name: "DeviceNotOnline", Text: why}
}

func timedOut(text string) *Refusal {
	return &Refusal{Status: 504, Code: 504101, Name: "GatewayTimeout", Text: text}
}

func badResponse(format string, args ...any) *Refusal {
	return &Refusal{Status: 502, Code: 502101, Name: "BadDeviceResponse", Text: fmt.Sprintf(format, args...)}
}

func queueFull() *Refusal {
	return &Refusal{Status: 403, Code: 403004, Name: "DeviceMaximumQueueDepthExceeded", Text: fmt.Sprintf("%d messages wait already", maxPending)}
}
