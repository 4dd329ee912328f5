// Package intake is the doors in: what a person hands over becomes rows that
// [engine.Operator] can enroll.
//
// [ReadCSV] is called by nudge import with an open file. It knows the shape of
// the file and nothing else: which sequence the rows are for, which fields that
// sequence needs, and who is enrolled or suppressed already is the Operator's
// affair.
//
// It refuses rather than guesses. A file that is not UTF-8, has no email
// column, or names a column in a way no template could use is refused whole,
// since any answer would be wrong for every row. A row that cannot be right
// (a bad address, too few values, a line break inside a value, a person who
// stands in the file twice) is rejected with its line, its column and the
// reason, and the others are read on, so that one look shows everything there
// is to mend.
package intake
