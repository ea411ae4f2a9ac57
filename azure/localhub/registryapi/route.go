package registryapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"hilrig/azure/localhub"
)

// handler answers a request about what its path names. An error is a refusal,
// and nothing is written then.
type handler func(w http.ResponseWriter, r *http.Request, id string) error

// ServeHTTP takes a request through authorisation to its answer. A request too
// many is throttled before anything of it is looked at.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		return // its connection is being cut
	}
	defer s.running.Done()
	w = &statusWriter{ResponseWriter: w}
	marked(w.Header())
	x := Exchange{Remote: r.RemoteAddr, Method: r.Method, Path: r.URL.EscapedPath()}
	if err := s.serve(w, r); err != nil {
		refused := s.refuse(w, err, isMethodCall(r))
		x.Code, x.Why = refused.Name, refused.Text
	}
	x.Status = w.(*statusWriter).status
	if s.config.Seen != nil {
		s.config.Seen(x)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	select {
	case s.inFlight <- struct{}{}:
		defer func() { <-s.inFlight }()
	default:
		return throttled()
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := s.authorize(r); err != nil {
		return err
	}
	if err := checkVersion(r.URL); err != nil {
		return err
	}
	h, id, err := s.route(r)
	if err != nil {
		return err
	}
	return h(w, r, id)
}

// statusWriter remembers the status. Unwrap serves [http.ResponseController].
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// apiVersions have this form; which of them are known is not judged, as Edge
// Hub does not.
var apiVersions = regexp.MustCompile(`^\d{4}-\d\d-\d\d(-preview)?$`)

func checkVersion(u *url.URL) error {
	switch v := u.Query().Get("api-version"); {
	case v == "":
		return noVersion("api-version is missing")
	case !apiVersions.MatchString(v):
		return noVersion("api-version is a date such as 2021-04-12")
	}
	return nil
}

// route finds who answers, and the device that the path names. Every segment
// may be percent-encoded: a device id may hold '#', '?' and '%'.
func (s *Server) route(r *http.Request) (handler, string, error) {
	path := segments(r.URL)
	var answers map[string]handler // by method; nil: there is no such resource
	switch path[0] {
	case "devices":
		answers = s.devices(path[1:], r.Method)
	case "twins":
		answers = s.twins(path[1:])
	case "statistics":
		if len(path) == 2 && (path[1] == "devices" || path[1] == "service") {
			answers = map[string]handler{http.MethodGet: s.statistics}
		}
	}
	h := answers[r.Method]
	switch {
	case answers == nil:
		return nil, "", noResource(r.URL.Path)
	case h == nil:
		return nil, "", notAllowed(r.Method)
	case len(path) == 1:
		return h, "", nil
	}
	return h, path[1], nil
}

// devices are the answers below /devices. "query" is a resource for POST alone:
// it may be a device's id too.
func (s *Server) devices(path []string, method string) map[string]handler {
	switch {
	case len(path) == 0, len(path) == 1 && path[0] == "":
		return map[string]handler{http.MethodGet: s.list, http.MethodPost: s.bulk}
	case len(path) == 1 && path[0] == "query" && method == http.MethodPost:
		return map[string]handler{http.MethodPost: s.query}
	case len(path) == 1:
		return map[string]handler{http.MethodGet: s.get, http.MethodPut: s.put, http.MethodDelete: s.remove}
	case len(path) == 2 && path[1] == "commands":
		return map[string]handler{http.MethodDelete: s.purge}
	}
	return nil
}

// twins are the answers below /twins.
func (s *Server) twins(path []string) map[string]handler {
	switch {
	case len(path) == 1:
		return map[string]handler{http.MethodGet: s.twin, http.MethodPatch: s.patchTwin, http.MethodPut: s.replaceTwin}
	case len(path) == 2 && path[1] == "methods":
		return map[string]handler{http.MethodPost: s.invoke}
	}
	return nil
}

func isMethodCall(r *http.Request) bool {
	path := segments(r.URL)
	return len(path) == 3 && path[0] == "twins" && path[2] == "methods"
}

func segments(u *url.URL) []string {
	path := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	for i := range path {
		if plain, err := url.PathUnescape(path[i]); err == nil {
			path[i] = plain
		}
	}
	return path
}

// read decodes a body of one JSON value. What it does not know it passes over:
// SDKs send back everything that they were given.
func read(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errors.New("more behind the JSON value")
		}
	}
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return tooLarge()
	case errors.Is(err, io.EOF):
		return badRequest("the body is empty")
	}
	return badRequest("the body: %v", err)
}

// matches judges If-Match against an ETag (RFC 7232 section 3.1). A weak tag
// counts: IoT Hub's are weak by its documentation. SDKs send * in quotes too.
func matches(r *http.Request, etag string) error {
	given := r.Header.Values("If-Match")
	if len(given) == 0 {
		return nil
	}
	if !names(r) {
		return nil
	}
	for one := range strings.SplitSeq(strings.Join(given, ","), ",") {
		one = strings.Trim(strings.TrimPrefix(strings.TrimSpace(one), "W/"), `"`)
		if one == "*" || one == etag {
			return nil
		}
	}
	return changed()
}

// names reports whether If-Match names an ETag. An empty one names none, as
// recorded of the real hub: "" on a PUT makes a device.
func names(r *http.Request) bool {
	return strings.Trim(strings.Join(r.Header.Values("If-Match"), ""), `" `) != ""
}

func quoted(etag string) string { return `"` + etag + `"` }

// The hub is all three.
var _ Hub = (*localhub.Hub)(nil)
