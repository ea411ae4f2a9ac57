package delivery

import (
	"errors"
	"testing"

	"hilrig/azure"
)

// IoT Hub counts the body and the properties: a topic is as long as it likes.
func TestAMessageIsAsLargeAsTheHubCountsIt(t *testing.T) {
	const most = azure.MaxMessage
	topic := azure.EventsTopic("dut-1")
	for name, x := range map[string]struct {
		topic string
		body  int
		large bool
	}{
		"the largest":                        {topic, most, false},
		"one byte more":                      {topic, most + 1, true},
		"the largest with its property":      {topic + "a=bc", most - 3, false},
		"a property too much":                {topic + "a=bc", most - 2, true},
		"the largest with a system's":        {topic + "%24.ct=text", most - 4, false},
		"a system's property too much":       {topic + "%24.ct=text", most - 3, true},
		"a request, whose id does not count": {"$iothub/twin/PATCH/properties/reported/?$rid=1", most, false},
		"a topic that is not the hub's":      {"somewhere", most + 1, true},
	} {
		if err := (arrival{topic: x.topic, body: x.body}).tooLarge("dut-1"); errors.Is(err, azure.ErrTooLarge) != x.large {
			t.Errorf("%s: %v", name, err)
		}
	}
}
