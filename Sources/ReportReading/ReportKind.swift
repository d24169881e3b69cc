package import ReportStore

/// The kinds of reports.
package typealias ReportKind = ReceivedReport.Kind
