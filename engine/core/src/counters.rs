//! How often what happened, over all nodes.

/// Counts of a run so far. Plain numbers, equal for equal seeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say what is counted")]
pub struct Counters {
    pub datagrams_sent: u64,
    pub datagrams_delivered: u64,
    pub dropped_blocked: u64,
    pub dropped_lost: u64,
    pub dropped_queue_full: u64,
    pub dropped_node_down: u64,
    pub duplicated: u64,
    pub corrupted: u64,
    pub reordered: u64,
    pub held: u64,
    pub injected: u64,
    pub streams_opened: u64,
    pub streams_refused: u64,
    pub streams_reset: u64,
    /// Ends that closed because nobody answered.
    pub streams_timed_out: u64,
    pub stream_bytes: u64,
    pub stream_retransmits: u64,
    pub timers_fired: u64,
    pub invoked: u64,
    pub completed: u64,
    pub marks: u64,
    pub inputs_parked: u64,
    pub syncs: u64,
    pub syncs_failed: u64,
    pub boots: u64,
    pub refusals: u64,
    pub crashes: u64,
    pub out_of_memory_kills: u64,
    pub starts: u64,
    pub stops: u64,
}

/// Every counter has a row.
const _: () = assert!(size_of::<Counters>() == size_of::<[u64; 30]>());

/// Why a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The link was cut.
    Blocked,
    /// It was lost by chance.
    Lost,
    /// Too much was waiting for the link's bandwidth.
    QueueFull,
    /// The receiver was down when it was sent, or rebooted before it arrived.
    NodeDown,
}

impl Counters {
    /// Messages that did not arrive, for whatever reason.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped_blocked + self.dropped_lost + self.dropped_queue_full + self.dropped_node_down
    }

    /// Every counter with its name, in the order of their declaration.
    #[must_use]
    pub fn rows(&self) -> [(&'static str, u64); 30] {
        [
            ("datagrams_sent", self.datagrams_sent),
            ("datagrams_delivered", self.datagrams_delivered),
            ("dropped_blocked", self.dropped_blocked),
            ("dropped_lost", self.dropped_lost),
            ("dropped_queue_full", self.dropped_queue_full),
            ("dropped_node_down", self.dropped_node_down),
            ("duplicated", self.duplicated),
            ("corrupted", self.corrupted),
            ("reordered", self.reordered),
            ("held", self.held),
            ("injected", self.injected),
            ("streams_opened", self.streams_opened),
            ("streams_refused", self.streams_refused),
            ("streams_reset", self.streams_reset),
            ("streams_timed_out", self.streams_timed_out),
            ("stream_bytes", self.stream_bytes),
            ("stream_retransmits", self.stream_retransmits),
            ("timers_fired", self.timers_fired),
            ("invoked", self.invoked),
            ("completed", self.completed),
            ("marks", self.marks),
            ("inputs_parked", self.inputs_parked),
            ("syncs", self.syncs),
            ("syncs_failed", self.syncs_failed),
            ("boots", self.boots),
            ("refusals", self.refusals),
            ("crashes", self.crashes),
            ("out_of_memory_kills", self.out_of_memory_kills),
            ("starts", self.starts),
            ("stops", self.stops),
        ]
    }

    pub(crate) fn count_drop(&mut self, reason: DropReason) {
        *match reason {
            DropReason::Blocked => &mut self.dropped_blocked,
            DropReason::Lost => &mut self.dropped_lost,
            DropReason::QueueFull => &mut self.dropped_queue_full,
            DropReason::NodeDown => &mut self.dropped_node_down,
        } += 1;
    }
}
