package data

import "time"

// Holiday gives the name of the Norwegian public holiday on a day in Oslo; ""
// on any other day.
func Holiday(t time.Time) string {
	y, m, d := t.In(Oslo).Date()
	switch {
	case m == time.January && d == 1:
		return "new-year"
	case m == time.May && d == 1:
		return "may-day"
	case m == time.May && d == 17:
		return "constitution-day"
	case m == time.December && d == 25:
		return "christmas-day"
	case m == time.December && d == 26:
		return "second-christmas-day"
	}
	em, ed := easter(y)
	// Days between dates, not hours between moments: a summer-time day has 23.
	switch time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(time.Date(y, em, ed, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour) {
	case -3:
		return "maundy-thursday"
	case -2:
		return "good-friday"
	case 0:
		return "easter-sunday"
	case 1:
		return "easter-monday"
	case 39:
		return "ascension-day"
	case 49:
		return "whit-sunday"
	case 50:
		return "whit-monday"
	}
	return ""
}

// eve tells whether a day is half a holiday: no public holiday, but hours that
// hold on other days are not to be trusted.
func eve(t time.Time) bool {
	t = t.In(Oslo)
	_, m, d := t.Date()
	if m == time.December && (d == 24 || d == 31) {
		return true
	}
	switch Holiday(noon(t, 1)) {
	case "easter-sunday", "whit-sunday", "maundy-thursday":
		return true
	}
	return false
}

// noon is the middle of the day that many days after t's.
func noon(t time.Time, days int) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d+days, 12, 0, 0, 0, Oslo)
}

// easter gives Easter Sunday of a year (Meeus, Jones, Butcher).
func easter(year int) (time.Month, int) {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	n := (h + l - 7*m + 90) / 25
	return time.Month(n), (h + l - 7*m + 33*n + 19) % 32
}
