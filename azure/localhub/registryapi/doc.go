// Package registryapi is the service side of the local hub over HTTPS: IoT
// Hub's REST interface as far as a rig needs it. Devices are registered,
// changed, listed, queried and taken out, twins read and their desired
// properties patched, direct methods called. Whoever asks shows a shared access
// signature. Microsoft's service SDK works against it.
//
// It promises IoT Hub's status codes, error codes and optimistic concurrency;
// that what a request may cost is bounded, in bytes, time and number; that the
// key is made once per rig, lies in a file of the owner's alone and is in no
// output; and that a change reaches the hub before it is answered.
//
// Devices are of the kind that the guide registers (section 3.1), X.509
// self-signed by thumbprint: another kind is refused, not ignored. There are no
// modules, jobs or configurations.
//
// It does not know certificates, MQTT or specs: the hub is reached through
// small interfaces.
package registryapi
