// Package iothub is a hub that is Azure IoT Hub: its device registry over REST
// and its telemetry from the Event Hubs-compatible endpoint.
//
// It promises that what it makes in Azure stands in a journal before it is made,
// and that what a process that died left behind is removed by that journal and
// the mark that every device of a rig carries (its statusReason): never by a
// query, which does not find what is fresh. A device that a rig did not make is
// used only where the rig file says so, is put back as it was, and is never
// removed. It reads events from before the first file is loaded.
//
// It sees neither handshakes nor packets, and no QoS.
package iothub
