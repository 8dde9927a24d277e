package routine_test

import (
	"testing"
	"time"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

func TestDatesAreCountedOutFromAnEvent(t *testing.T) {
	c := mustLoad(t)
	tests := []struct {
		name, event, on, rule, at, work, holiday string
	}{
		{"a week is seven days", "report", "2026-11-23 10:00", "review", "2026-11-30", "2026-11-30", ""},
		{"the confirmation falls on Christmas Day", "report", "2026-12-04 10:00", "ack", "2026-12-25", "2026-12-24", "christmas-day"},
		{"the second Christmas Day is a Saturday", "report", "2026-12-05 10:00", "ack", "2026-12-26", "2026-12-24", "second-christmas-day"},
		{"a week ends on Easter Monday, with the whole of Easter before it", "report", "2027-03-22 10:00", "review", "2027-03-29", "2027-03-24", "easter-monday"},
		{"a week ends on Good Friday", "report", "2027-03-19 10:00", "review", "2027-03-26", "2027-03-24", "good-friday"},
		{"three months after 30 November is the last day of February", "report", "2026-11-23 10:00", "inv", "2027-02-28", "2027-02-26", ""},
		{"six months are counted from the end of the week", "report", "2026-11-23 10:00", "inv-long", "2027-05-30", "2027-05-28", ""},
		{"a leap year has its 29 February", "report", "2027-11-22 10:00", "inv", "2028-02-29", "2028-02-29", ""},
		{"feedback three weeks after the investigation", "investigation-end", "2026-11-27 09:00", "second", "2026-12-18", "2026-12-18", ""},
		{"a new investigation within six months", "help-refused", "2026-08-31 09:00", "again", "2027-02-28", "2027-02-26", ""},
		{"care lapses after six weeks", "emergency-care", "2026-11-22 23:30", "care", "2027-01-03", "2026-12-31", ""},
		{"institution lapses after two weeks", "emergency-institution", "2026-12-18 12:00", "institution", "2027-01-01", "2026-12-31", "new-year"},
		{"an exit ban lapses after six weeks", "exit-ban", "2027-04-03 12:00", "ban", "2027-05-15", "2027-05-14", ""},
		{"the interview within a week", "police-report", "2027-05-10 12:00", "one", "2027-05-17", "2027-05-14", "constitution-day"},
		{"the interview within two weeks", "police-report", "2027-05-10 12:00", "two", "2027-05-24", "2027-05-24", ""},
		{"the interview within three weeks", "police-report", "2027-05-10 12:00", "three", "2027-05-31", "2027-05-31", ""},
		{"a ban on visits for a year from a leap day", "visit-ban", "2028-02-29 12:00", "year", "2029-02-28", "2029-02-28", ""},
		{"the county governor after a week", "school-raised", "2026-11-20 12:00", "governor", "2026-11-27", "2026-11-27", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := due(t, c, tt.event, tt.on, tt.rule)
			if got := d.At.Format(time.DateOnly); got != tt.at {
				t.Errorf("due %s, want %s", got, tt.at)
			}
			if got := d.Work.Format(time.DateOnly); got != tt.work {
				t.Errorf("last working day %s, want %s", got, tt.work)
			}
			if d.Holiday != tt.holiday {
				t.Errorf("holiday %q, want %q", d.Holiday, tt.holiday)
			}
			if d.Free() != (tt.at != tt.work) {
				t.Errorf("free %v", d.Free())
			}
			if len(d.Deadline.Law) == 0 || len(d.Deadline.Source) == 0 || d.Exact {
				t.Errorf("no law or source: %+v", d.Deadline)
			}
		})
	}
}

func TestHoursAreCountedByTheClockAlsoWhenSummerTimeComes(t *testing.T) {
	d := due(t, mustLoad(t), "incident", "2027-03-27 12:00", "acute")
	if want := "2027-03-30 13:00"; d.At.Format("2006-01-02 15:04") != want || !d.Exact {
		t.Errorf("72 hours end at %v, want %s", d.At, want)
	}
}

func TestTheSoonestDateComesFirstAndNothingIsCountedFromElsewhere(t *testing.T) {
	c := mustLoad(t)
	for _, e := range c.Events() {
		dues := c.Dates(e.ID, time.Date(2026, 11, 22, 12, 0, 0, 0, data.Oslo))
		if len(dues) == 0 {
			t.Errorf("nothing follows from %s", e.ID)
		}
		for i, d := range dues {
			if d.Rule.From != e.ID || i > 0 && d.At.Before(dues[i-1].At) {
				t.Errorf("%s: %s on %v is out of order", e.ID, d.Rule.ID, d.At)
			}
		}
	}
	if dues := c.Dates("nothing", time.Now()); dues != nil {
		t.Errorf("%v", dues)
	}
}

// An hour past midnight in Oslo is the day it is there, wherever the machine stands.
func TestTheDayIsTheDayInOslo(t *testing.T) {
	c := mustLoad(t)
	at := time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC) // 23 November in Oslo
	for _, d := range c.Dates("report", at) {
		if d.Rule.ID == "review" && d.At.Format(time.DateOnly) != "2026-11-30" {
			t.Errorf("due %v", d.At)
		}
	}
}

func due(t *testing.T, c *routine.Catalogue, event, on, rule string) routine.Due {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", on, data.Oslo)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range c.Dates(event, at) {
		if d.Rule.ID == rule {
			return d
		}
	}
	t.Fatalf("no rule %s from %s", rule, event)
	return routine.Due{}
}
