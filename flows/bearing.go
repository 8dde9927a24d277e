package flows

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// A bearing is a session written into the name of a screen, so that a screen
// which was never stored can still be gone on from: the first view, before
// anything is kept (S26), and every answer while the store is away (S3). It is
// hostile input when it comes back: each part is looked up in a closed list,
// and what does not fit counts as a stale screen.
//
//	~ locale . band . tenant . place . time      ~nb.1.0301.k3x9q.t5m2a0
//
// It holds no secret and nothing typed, and is at most 32 bytes of ASCII.
const bearingMark = "~"

// Bearing names the screen of a session that is not stored.
func (l *Library) Bearing(s Session, made time.Time) string {
	band := 0
	for i, b := range Bands {
		if b == s.Band {
			band = i + 1
		}
	}
	at, ok := l.codes[s.Place]
	if !ok {
		at = l.codes[Place{Flow: s.Flow, State: s.State}] // the desk's first page
	}
	return bearingMark + s.Locale + "." + strconv.Itoa(band) + "." + s.Tenant + "." + at + "." + strconv.FormatInt(made.UnixMilli(), 36)
}

// Carried gives the session as a bearing of it is gone on from: without the way
// back, and on the desk's first page where the page is not one of Desk.Pages.
func (l *Library) Carried(s Session) Session {
	s.Path, s.Area, s.Role, s.Fresh = nil, "", "", false
	if _, ok := l.codes[s.Place]; !ok {
		s.Page = ""
	}
	return s
}

// IsBearing tells whether a screen's name is a bearing.
func IsBearing(screen string) bool { return strings.HasPrefix(screen, bearingMark) }

// Resume gives the session a bearing stands for and when it was made. False:
// it is not one of ours.
func (l *Library) Resume(screen string, in Input) (Session, time.Time, bool) {
	rest, ok := strings.CutPrefix(screen, bearingMark)
	parts := strings.Split(rest, ".")
	if !ok || len(screen) > 40 || len(parts) != 5 {
		return Session{}, time.Time{}, false
	}
	band, err1 := strconv.Atoi(parts[1])
	ms, err2 := strconv.ParseInt(parts[4], 36, 64)
	place, known := l.byCode[parts[3]]
	tenant := parts[2]
	switch {
	case err1 != nil, err2 != nil, !known, band < 0, band > len(Bands), ms < 0, ms > 1<<46,
		parts[0] != "" && !localeTag.MatchString(parts[0]),
		tenant != "" && !l.numbers[tenant]:
		return Session{}, time.Time{}, false
	}
	s := l.New(parts[0], in)
	s.Place, s.Tenant, s.Screen = place, tenant, screen
	if band > 0 {
		s.Band = Bands[band-1]
	}
	return s, time.UnixMilli(ms), true
}

// number gives every place a short code, the same for the same names, so that
// a bearing outlives a restart and means the same on every replica.
func (l *Library) number() {
	l.codes, l.byCode = map[Place]string{}, map[string]Place{}
	add := func(p Place) {
		h := fnv.New32a()
		h.Write([]byte(p.String()))
		for sum := h.Sum32(); ; sum++ {
			code := strconv.FormatUint(uint64(sum), 36)
			if _, taken := l.byCode[code]; !taken {
				l.codes[p], l.byCode[code] = code, p
				return
			}
		}
	}
	var desks []Place
	for _, n := range l.order {
		for _, s := range l.flows[n].States {
			p := Place{Flow: n, State: s.Name}
			add(p)
			if s.Desk {
				desks = append(desks, p)
			}
		}
	}
	if l.desk == nil {
		return
	}
	for _, p := range desks {
		for _, p.Page = range l.desk.Pages() {
			add(p)
		}
	}
}
