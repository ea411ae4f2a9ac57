// Package standin runs an AMQP endpoint in place of Azure's: the Event
// Hubs-compatible endpoint of a hub with its events, and the hub's own endpoint
// for messages to devices. Only tests import it.
//
// It is a script on npm rhea, which two clients of Microsoft read unmodified.
// Signatures of tokens are checked as Azure checks them, addresses and errors
// are Azure's; faults are shown on command. What the real service does under
// load, with money and with rights it does not know.
package standin
