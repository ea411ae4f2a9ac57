package history

import "context"

// Suspect is a spec that a board fails and that its siblings pass with the same
// firmware.
type Suspect struct {
	Serial   string `json:"serial"`
	Type     string `json:"type"`
	Spec     string `json:"spec"`
	Version  string `json:"version"`
	SHA256   string `json:"sha256"`
	Failed   int    `json:"failed"`
	Asked    int    `json:"asked"` // results that say something of the board
	Siblings int    `json:"siblings_that_pass"`
	Others   int    `json:"siblings_that_fail"`
}

// mostSuspects bounds a list that somebody is to read.
const mostSuspects = 200

// Suspects are what a board fails and its siblings pass; without a serial, all
// boards'. It fails alone, or four siblings pass for each that fails: of twenty
// boards two may be bad.
func (h *History) Suspects(ctx context.Context, serial string) ([]Suspect, error) {
	board := "s.board = b.id"
	if serial != "" {
		board = "s.board = (SELECT o.id FROM board o WHERE o.serial = ?1 AND t.type = " + kindOf("o") + ")" // its row, and no sibling's
	}
	return ask(ctx, h, `SELECT b.serial, t.type, spec.name, f.version, f.sha256, s.failed, s.passed + s.warned + s.failed, t.passing, t.failing - 1
		FROM total t CROSS JOIN summary s ON s.spec = t.spec AND s.firmware = t.firmware AND s.failed > 0 CROSS JOIN board b ON b.id = s.board AND t.type = `+kindOf("b")+`
			JOIN spec ON spec.id = t.spec JOIN firmware f ON f.id = t.firmware
		WHERE t.failing > 0 AND t.passing > 0 AND (t.failing = 1 OR t.passing >= 4 * t.failing) AND `+board+` AND ?1 = ?1
		ORDER BY t.first DESC, b.serial, spec.name LIMIT ?2`,
		func(scan func(...any) error) (s Suspect, err error) {
			return s, scan(&s.Serial, &s.Type, &s.Spec, &s.Version, &s.SHA256, &s.Failed, &s.Asked, &s.Siblings, &s.Others)
		}, serial, mostSuspects)
}

// SuspectRig is a rig at which a spec is red and that is green at others, with
// the same firmware.
type SuspectRig struct {
	Host    string `json:"host"`
	Rig     string `json:"rig"`
	Spec    string `json:"spec"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
	Red     int    `json:"red"`   // failures, and errors of the rig
	Asked   int    `json:"asked"` // at this rig
	Others  struct {
		Rigs  int `json:"rigs"`
		Red   int `json:"red"`
		Asked int `json:"asked"`
	} `json:"other_rigs"`
}

// lastFirmwares bounds how far one looks back for a rig that is bad.
const lastFirmwares = 100

// SuspectRigs are the rigs whose share of red results is beyond chance above
// that of all others: the intervals of both do not meet.
func (h *History) SuspectRigs(ctx context.Context) ([]SuspectRig, error) {
	all, err := ask(ctx, h, `SELECT rig.host, rig.name, spec.name, f.version, f.sha256, a.red, a.red + a.fine, o.rigs - 1, o.red - a.red, o.asked - a.red - a.fine
		FROM (SELECT spec, firmware, count(*) AS rigs, sum(red) AS red, sum(red + fine) AS asked
			FROM at_rig WHERE firmware > (SELECT max(id) - ? FROM firmware) AND red + fine > 0 GROUP BY firmware, spec HAVING count(*) > 1 AND sum(red) > 0) o
		JOIN at_rig a ON a.spec = o.spec AND a.firmware = o.firmware AND a.red > 0
		JOIN rig ON rig.id = a.rig JOIN spec ON spec.id = a.spec JOIN firmware f ON f.id = a.firmware
		WHERE o.asked > a.red + a.fine AND a.red * (o.asked - a.red - a.fine) > (o.red - a.red) * (a.red + a.fine) ORDER BY f.id DESC, rig.name, spec.name`,
		func(scan func(...any) error) (s SuspectRig, err error) {
			return s, scan(&s.Host, &s.Rig, &s.Spec, &s.Version, &s.SHA256, &s.Red, &s.Asked, &s.Others.Rigs, &s.Others.Red, &s.Others.Asked)
		}, lastFirmwares)
	beyond := all[:0]
	for _, s := range all {
		if rateOf(s.Red, s.Asked).Low > rateOf(s.Others.Red, s.Others.Asked).High && len(beyond) < mostSuspects {
			beyond = append(beyond, s)
		}
	}
	return beyond, err
}
