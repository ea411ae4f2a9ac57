// Package access is how the rig gets into an IoT Hub: by the key of a shared
// access policy, from a connection string in a file or an environment variable,
// or by Microsoft Entra.
//
// It promises that a key is in no output: a [Connection] and a [Credential] are
// masked in whatever form they are printed, logged or written as JSON, and no
// error repeats what it read. What reveals one says so in its comment: Token,
// ConnectionString, GetToken, TextFromFile, TextFromEnvironment.
//
// It knows no requests: azure/iothub/registry and the packages that speak AMQP
// do.
package access
