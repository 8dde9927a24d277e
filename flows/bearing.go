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
func (l *Library) Bearing(s Session, at time.Time) string {
	band := 0
	for i, b := range Bands {
		if b == s.Band {
			band = i + 1
		}
	}
	return bearingMark + s.Locale + "." + strconv.Itoa(band) + "." + s.Tenant + "." + l.codes[s.Place] + "." + strconv.FormatInt(at.UnixMilli(), 36)
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
	for _, n := range l.order {
		for _, s := range l.flows[n].States {
			p := Place{n, s.Name}
			h := fnv.New32a()
			h.Write([]byte(p.String()))
			for sum := h.Sum32(); ; sum++ {
				code := strconv.FormatUint(uint64(sum), 36)
				if _, taken := l.byCode[code]; !taken {
					l.codes[p], l.byCode[code] = code, p
					break
				}
			}
		}
	}
}
