// Package provisioning judges the 9270 terminal of the manufacturer's guide
// (section 4): what is loaded is what the device then is.
package provisioning
