// Package azure holds Azure IoT Hub's rules for a device that speaks MQTT, as
// pure functions: user names, device ids, topics, filters, property bags,
// sizes, keep-alive.
//
// It promises to accept what the documentation of IoT Hub promises to accept
// and what Microsoft's own Edge Hub is known to accept beyond it, and to say of
// everything else what is wrong with it. Errors are plain (errors.Is with the
// sentinels of this package): whose fault they are depends on who wrote the
// text, a device or a rig file, and the caller knows.
//
// It does not know about connections, packets, certificates or the registry.
//
// Sources, named beside each rule: "IoT Hub MQTT" is Microsoft's page "Use MQTT
// to communicate with Azure IoT Hub"; "Edge Hub" is Azure/iotedge and the
// protocol gateway under it; "guide" is the device manufacturer's "MQTT -
// Connecting to Microsoft Azure", revision 1.2.
package azure
