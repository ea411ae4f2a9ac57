// Package devicebound sends messages to devices through an IoT Hub, over AMQP
// as Microsoft's service clients do, and reads what became of them.
//
// A message is sent once, or its failure says why: one that may have been sent
// is not sent again. A hub gives each piece of feedback to one reader, so it is
// read only where that was asked for; it would be missing elsewhere.
package devicebound
