// Package templates holds every text that a person reads, embedded in the
// program as functions from plain strings to finished text.
//
// It owns: the words of alerts, invoices and reports, their order, and the
// escaping that each medium needs, so that data (names, ids, cost-centre
// titles) can never become markup, a mention, a link or a formula.
// It does not own: figures. Amounts, percentages and dates arrive as finished
// strings; nothing is computed or rounded here. It does not know who sends or
// stores a text (billing/notify, billing/invoice), and it imports nothing of
// this program.
package templates
