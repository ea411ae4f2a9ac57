package registry_test

import (
	"fmt"
	"strings"
)

// session is what the real service answered, as carried over from Microsoft's
// recordings (Azure/azure-sdk-for-net, sdk/iot/Azure.Iot.Hub.Service/tests/
// SessionRecords, MIT; api-version 2020-03-13). Devices are named d and e there
// as here; keys and ETags are ours: {1}, {2} stand for versions.
type session struct {
	name  string
	steps []exchange
}

// exchange is one request with its answer. Every answer had Date, Vary: Origin,
// Server: Microsoft-HTTPAPI/2.0 and x-ms-request-id too.
type exchange struct {
	ask     string // method and path
	match   string // If-Match
	send    string
	status  int
	headers string // of ETag, iothub-errorcode and x-ms-item-type those that were there: "NAME: VALUE"
	answer  string
}

const (
	never     = "0001-01-01T00:00:00Z"
	neverBare = "0001-01-01T00:00:00" // in the answer that makes a device
	changedAt = "2020-09-01T20:58:36.2046728Z"
	keys      = `"symmetricKey":{"primaryKey":"a secret","secondaryKey":"another"}`
	scopes    = `,"parentScopes":[]`
	done      = `{"isSuccessful":true,"errors":[],"warnings":[]}`
)

func identity(id, etag, status, connection, changed, more string) string {
	return fmt.Sprintf(`{"deviceId":%q,"generationId":"637345907161634714","etag":%q,"connectionState":"Disconnected","status":%q,"statusReason":null,
"connectionStateUpdatedTime":%q,"statusUpdatedTime":%q,"lastActivityTime":%q,"cloudToDeviceMessageCount":0,
"authentication":{`+keys+`,"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"},"capabilities":{"iotEdge":false}%s}`,
		id, etag, status, connection, changed, connection, more)
}

// made is the answer to a PUT that made a device.
func made(id, more string) string { return identity(id, "{1}", "enabled", neverBare, neverBare, more) }

// sent is a device sent back with another status.
func sent(id, etag, status string) string {
	return fmt.Sprintf(`{"deviceId":%q,"generationId":"637345907161634714","etag":%q,"connectionState":"Disconnected","status":%q,
"connectionStateUpdatedTime":"0001-01-01T00:00:00Z","statusUpdatedTime":"0001-01-01T00:00:00Z","lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,
"authentication":{`+keys+`,"x509Thumbprint":{},"type":"sas"},"capabilities":{"iotEdge":false}}`, id, etag, status)
}

const fresh = `{"$metadata":{"$lastUpdated":"2020-07-28T22:17:23.6756822Z"},"$version":1}`

func twin(id, etag string, version int, desired string) string {
	return fmt.Sprintf(`{"deviceId":%q,"etag":%q,"deviceEtag":"{1}","status":"enabled","statusUpdateTime":"0001-01-01T00:00:00Z","connectionState":"Disconnected",
"lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,"authenticationType":"sas","x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},
"version":%d,"properties":{"desired":%s,"reported":`+fresh+`},"capabilities":{"iotEdge":false}}`, id, etag, version, desired)
}

const (
	patched = `{"username":"userA","$metadata":{"$lastUpdated":"2020-07-28T22:17:23.785061Z","$lastUpdatedVersion":2,
"username":{"$lastUpdated":"2020-07-28T22:17:23.785061Z","$lastUpdatedVersion":2}},"$version":2}`
	wholeTwin = `{"deviceId":"d","properties":{"desired":{"$metadata":{"$lastUpdated":"2020-07-28T22:17:23.6756822Z"},"$version":1,"username":"userA"},"reported":` + fresh + `},
"etag":"AAAAAAAAAAE=","version":2,"deviceEtag":"{1}","status":"enabled","statusUpdateTime":"0001-01-01T00:00:00.0000000Z","connectionState":"Disconnected",
"lastActivityTime":"0001-01-01T00:00:00.0000000Z","cloudToDeviceMessageCount":0,"authenticationType":"sas","x509Thumbprint":{},"capabilities":{"iotEdge":false}}`
	bulkDesired = `{"user":"userA","$metadata":{"$lastUpdated":"0001-01-01T00:00:00Z","$lastUpdatedVersion":1,
"user":{"$lastUpdated":"0001-01-01T00:00:00Z","$lastUpdatedVersion":1}},"$version":1}`
	byID = `{"query":"SELECT * FROM devices WHERE deviceId = 'd'"}`
	all  = `{"query":"select * from devices"}`
	none = `""` // If-Match of whoever makes a device

	firstTag, secondTag, thirdTag = `ETag: "{1}"`, `ETag: "{2}"`, `ETag: "{3}"`
	twins                         = "x-ms-item-type: Twin"
)

var removed = exchange{ask: "DELETE /devices/d", match: "*", status: 204}

// recorded are the sessions; of ten devices of a bulk two are carried over.
var recorded = []session{
	{"DevicesClient_IdentityLifecycle", []exchange{
		{"PUT /devices/d", none, `{"deviceId":"d"}`, 200, firstTag, made("d", scopes)},
		{"GET /devices/d", "", "", 200, firstTag, identity("d", "{1}", "enabled", never, never, "")},
		{"PUT /devices/d", "*", sent("d", "{1}", "disabled"), 200, secondTag, identity("d", "{2}", "disabled", never, changedAt, "")},
		removed,
	}},
	{"DevicesClient_UpdateDevice_EtagDoesNotMatch", []exchange{
		{"PUT /devices/d", none, `{"deviceId":"d"}`, 200, firstTag, made("d", scopes)},
		{"PUT /devices/d", `"{1}"`, sent("d", "{1}", "disabled"), 200, secondTag, identity("d", "{2}", "disabled", never, changedAt, scopes)},
		{"PUT /devices/d", `"{1}"`, sent("d", "{1}", "enabled"), 412, "iothub-errorcode: PreconditionFailed",
			`{"Message":"ErrorCode:PreconditionFailed;PreconditionFailed","ExceptionMessage":"Tracking ID:e40e9db2199f482b887af45fbeaa7b8c-G:5-TimeStamp:08/20/2020 22:05:30"}`},
		{"PUT /devices/d", "*", sent("d", "{1}", "enabled"), 200, thirdTag, identity("d", "{3}", "enabled", never, changedAt, scopes)},
		removed,
	}},
	{"DevicesClient_DeviceTwinLifecycle", []exchange{
		{"PUT /devices/d", none, `{"deviceId":"d"}`, 200, firstTag, made("d", scopes)},
		{"GET /twins/d", "", "", 200, "", twin("d", "AAAAAAAAAAE=", 2, fresh)},
		{"PATCH /twins/d", "*", wholeTwin, 200, "", twin("d", "AAAAAAAAAAI=", 3, patched)},
		removed,
	}},
	{"QueryClient_GetAllDevicesTwinsWithTag", []exchange{
		{"PUT /devices/d", none, `{"deviceId":"d"}`, 200, firstTag, made("d", scopes)},
		{"POST /devices/query", "", byID, 200, twins, `[]`},
		{"POST /devices/query", "", byID, 200, twins, "[" + twin("d", "AAAAAAAAAAE=", 2, fresh) + "]"}, // 6 s later
		removed,
	}},
	{"DevicesClient_Query_GetTwins", []exchange{
		{"POST /devices", "", `[{"id":"d","importMode":"create","status":"enabled"},{"id":"e","importMode":"create","status":"enabled"}]`, 200, "", done},
		{"POST /devices/query", "", all, 200, twins, "[" + twin("d", "AAAAAAAAAAE=", 2, fresh) + "]"},
		{"POST /devices/query", "", all, 200, twins, "[" + twin("d", "AAAAAAAAAAE=", 2, fresh) + "," + strings.Replace(twin("e", "AAAAAAAAAAE=", 2, fresh), "{1}", "{2}", 1) + "]"},
		{"POST /devices", "", `[{"id":"d","importMode":"delete"},{"id":"e","importMode":"delete"}]`, 200, "", done},
	}},
	{"StatisticsClient", []exchange{
		{"GET /statistics/devices", "", "", 200, "", `{"totalDeviceCount":5,"enabledDeviceCount":0,"disabledDeviceCount":0}`},
		{"GET /statistics/service", "", "", 200, "", `{"connectedDeviceCount":0}`},
	}},
	{"DevicesClient_BulkCreation_DeviceWithTwin", []exchange{
		{"POST /devices", "", `[{"id":"d","importMode":"create","status":"enabled","properties":{"desired":{"user":"userA"}}}]`, 200, "", done},
		{"GET /twins/d", "", "", 200, "", twin("d", "AAAAAAAAAAE=", 2, bulkDesired)},
		{"POST /devices", "", `[{"id":"d","importMode":"delete"}]`, 200, "", done},
	}},
	{"DevicesClient_BulkUpdate", []exchange{
		{"PUT /devices/d", none, `{"deviceId":"d","status":"enabled"}`, 200, firstTag, made("d", scopes)},
		{"POST /devices", "", `[{"id":"d","eTag":"{1}","importMode":"update","status":"disabled","authentication":{` + keys + `,"x509Thumbprint":{},"type":"sas"},"capabilities":{"iotEdge":false}}]`, 200, "", done},
		{"GET /devices/d", "", "", 200, secondTag, identity("d", "{2}", "disabled", never, changedAt, "")},
		{"POST /devices", "", `[{"id":"d","eTag":"{1}","importMode":"delete"}]`, 200, "", done},
	}},
	{"Devices_Lifecycle", []exchange{
		{"GET /devices/d", "", "", 404, "iothub-errorcode: DeviceNotFound",
			`{"Message":"ErrorCode:DeviceNotFound;d","ExceptionMessage":"Tracking ID:d13bed747f5645ad88344794baaa1fa7-TimeStamp:06/16/2020 22:34:56"}`},
		{"PUT /devices/d", "", `{"deviceId":"d"}`, 200, firstTag, made("d", "")},
		{"GET /devices/d", "", "", 200, firstTag, identity("d", "{1}", "enabled", never, never, "")},
		removed,
	}},
	{"Devices_IdentityLifecycle", []exchange{
		{"PUT /devices/d", "", `{"deviceId":"d"}`, 200, firstTag, made("d", "")},
		{"GET /devices/d", "", "", 200, firstTag, identity("d", "{1}", "enabled", never, never, "")},
		{"PUT /devices/d", "*", sent("d", "{1}", "disabled"), 200, secondTag, identity("d", "{2}", "disabled", never, changedAt, "")},
		removed,
	}},
	{"Devices_TwinLifecycle", []exchange{
		{"PUT /devices/d", "", `{"deviceId":"d"}`, 200, firstTag, made("d", "")},
		{"GET /twins/d", "", "", 200, "", twin("d", "AAAAAAAAAAE=", 2, fresh)},
		{"PATCH /twins/d", "*", wholeTwin, 200, "", twin("d", "AAAAAAAAAAI=", 3, patched)},
		removed,
	}},
}
