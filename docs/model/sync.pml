// Sync on PUB/SUB: one nonce of a subscriber, answered by every publisher that there is (DESIGN 6, "SUB").
//
// What it models: two publishers that publish whether or not anybody listens, crash and start again with a higher
// epoch; a subscriber that subscribes to a topic with its nonce, to which each publisher answers once or oftener with
// its epoch and S. The nonce belongs to no stream: it stays open, so that the second publisher's answer is heard too,
// until the subscriber asks with a new one, forgets a stream (eviction) or dies. An answer never lowers what is known.
//
// The attacker holds every message and every sync that was ever signed, and hands over any of them, at any time, as
// often as he likes. Answers to a nonce that is not the open one are taken to be in his hands for every epoch and S
// that their signer ever was in.
//
// Bounded: two publishers, RUNS runs of the first and one of the second, N numbers a run (2 and 1), NONCES nonces, one
// eviction, CRASHES crashes of the subscriber. For liveness the channel loses subscriptions and their answers: crashes,
// evictions and losses are TROUBLES together.

#define RUNS 2
#define N(p) (2 - (p))
#define NONCES 2
#define CRASHES 1
#define TROUBLES 2                     // for liveness: crashes, evictions and losses together

#define AT(p, r) (2 * (p) + (r) - 1)    // of publisher p in run r
#define BIT(r, n) (1 << (3 * ((r) - 1) + (n)))
#define MADE(p) made[AT(p, run_[p])]

byte run_[2] = { 1, 1 };               // a publisher's current run; its epoch
byte made[4];                          // numbers published in a run: all of them are recorded

bool known[2];                         // the subscriber's memory of each publisher
byte epoch[2], last[2];
bool open;                             // its nonce is subscribed to ...
bool onWire;                           // ... and the subscription is on its way
byte answers[2];                       // what each publisher answered to it: a bit for each (run, S)

byte delivered[2];                     // for the promises
byte before[4];
byte nonces, crashes;
bool evicted;

#ifdef FAULT_S_READ_EARLY              // S is from the last answer, not from after the subscription was seen
byte early[2];
#endif

inline ask() { open = true; onWire = true; answers[0] = 0; answers[1] = 0 }
inline dropNonce() { open = false; onWire = false; answers[0] = 0; answers[1] = 0 }

#define UNKNOWN(p, r) (!known[p] || (r) > epoch[p])

inline deliver(p, r, n) {
  assert(!(delivered[p] & BIT(r, n)));                          // at most once
  assert(delivered[p] < BIT(r, n));                             // in order, across all crashes
  assert(n > before[AT(p, r)]);                                 // nothing from before the memory
  delivered[p] = delivered[p] | BIT(r, n);
  last[p] = n
}

inline data(p, r, n) {
  if
  :: known[p] && r == epoch[p] && n > last[p] -> deliver(p, r, n)
#ifdef FAULT_DATA_BEGINS               // the first message that comes begins an unknown stream
  :: UNKNOWN(p, r) -> known[p] = true; epoch[p] = r; deliver(p, r, n)
#endif
  :: else
  fi
}

// The subscription reaches publisher p, which publishes its epoch and S.
inline subscription(p) {
#ifdef FAULT_S_READ_EARLY
  answers[p] = answers[p] | BIT(run_[p], early[p]); early[p] = MADE(p)
#else
  answers[p] = answers[p] | BIT(run_[p], MADE(p))
#endif
}

inline begin(p, r, s) {
  if
  :: UNKNOWN(p, r) -> known[p] = true; epoch[p] = r; last[p] = s
#ifdef FAULT_SYNC_LOWERS
  :: known[p] && r == epoch[p] -> last[p] = s
#endif
#ifdef FAULT_STALE_SYNC                // a lower epoch replaces a higher one
  :: known[p] && r < epoch[p] -> epoch[p] = r; last[p] = s
#endif
  :: else                                                       // nothing changes
  fi
}

// A sync for the open nonce.
inline sync(p, r, s) {
#ifdef FAULT_FIRST_SYNC_CLOSES         // single use, as if it were one peer's: the second publisher is not heard
  dropNonce();
#endif
  begin(p, r, s)
}

#ifdef LIVENESS                        // the last message of each is published when trouble is over and it is known
bool calm;
byte troubles;
#define TROUBLE (!calm && troubles < TROUBLES)
#define COUNT_TROUBLE troubles++
#define MAY_PUBLISH(p) (MADE(p) < N(p) - 1 || MADE(p) < N(p) && calm && known[p] && epoch[p] == run_[p])
#else
#define TROUBLE true
#define COUNT_TROUBLE skip
#define MAY_PUBLISH(p) (MADE(p) < N(p))
#endif

active [2] proctype Publisher() {
  byte p = _pid;                       // 0 or 1
end:
  do
  :: d_step { MAY_PUBLISH(p) -> MADE(p)++ }
  :: d_step { p == 0 && run_[p] < RUNS && TROUBLE ->            // a crash and a new start
       COUNT_TROUBLE; run_[p]++;
#ifdef FAULT_S_READ_EARLY
       early[p] = 0
#endif
     }
  od
}

#define ALL_KNOWN (known[0] && epoch[0] == run_[0] && known[1] && epoch[1] == run_[1])

active proctype Subscriber() {
end:
  do
#ifdef LIVENESS
  :: d_step { !open && !ALL_KNOWN -> ask() }                    // data of an unknown stream makes it ask
#ifndef FAULT_NO_RETRY
  :: d_step { open && !onWire && !ALL_KNOWN -> ask() }          // no answer in time: again, with a new nonce
#endif
#else
  :: d_step { nonces < NONCES -> nonces++; ask() }              // at any moment, also in place of an open one
#endif
  :: d_step { TROUBLE && !evicted && known[0] ->
       COUNT_TROUBLE; evicted = true; known[0] = false; epoch[0] = 0; last[0] = 0;
#ifndef FAULT_NONCE_SURVIVES_EVICTION
       dropNonce()
#endif
     }
  :: d_step { TROUBLE && crashes < CRASHES ->
       COUNT_TROUBLE; crashes++; dropNonce();
       known[0] = false; epoch[0] = 0; last[0] = 0; known[1] = false; epoch[1] = 0; last[1] = 0;
       before[0] = made[0]; before[1] = made[1]; before[2] = made[2]; before[3] = made[3] }
  od
}

#define DATA(p, r, n) :: d_step { made[AT(p, r)] >= n -> data(p, r, n) }
#define SYNC(p, r, s) :: d_step { open && (answers[p] & BIT(r, s)) -> sync(p, r, s) }
#ifdef FAULT_NONCE_NOT_CHECKED         // any sync will do, not only one for the open nonce
#define OLD_SYNC(p, r, s) :: d_step { run_[p] >= r && made[AT(p, r)] >= s -> begin(p, r, s) }
#else
#define OLD_SYNC(p, r, s)
#endif
#define ATTACKS_WITH(p) \
  DATA(p, 1, 1) DATA(p, 1, 2) DATA(p, 2, 1) DATA(p, 2, 2) \
  :: d_step { open -> subscription(p) } \
  SYNC(p, 1, 0) SYNC(p, 1, 1) SYNC(p, 1, 2) SYNC(p, 2, 0) SYNC(p, 2, 1) SYNC(p, 2, 2) \
  OLD_SYNC(p, 1, 0) OLD_SYNC(p, 1, 1) OLD_SYNC(p, 2, 0) OLD_SYNC(p, 2, 1)

active proctype Attacker() {
end:
  do
  ATTACKS_WITH(0)
  ATTACKS_WITH(1)
#ifdef LIVENESS
  :: d_step { onWire && TROUBLE -> COUNT_TROUBLE; onWire = false; answers[0] = 0; answers[1] = 0 }
#endif
  od
}

#ifdef LIVENESS
active proctype Trouble() {
  calm = true                          // at some moment it is over
}

// A fair channel: it carries again and again what is on its way.
#define CARRY(p) \
  d_step { if :: onWire -> subscription(p) :: else fi }; \
  d_step { if :: open && (answers[p] & BIT(run_[p], MADE(p))) -> sync(p, run_[p], MADE(p)) :: else fi }; \
  d_step { if :: MADE(p) > 0 -> data(p, run_[p], MADE(p)) :: else fi }

active proctype Channel() {
end:
  do
  :: CARRY(0); CARRY(1)
  od
}

#define LAST_DELIVERED(p) (delivered[p] & (BIT(1, N(p)) | BIT(2, N(p))))
ltl delivered_in_the_end { <> (LAST_DELIVERED(0) && LAST_DELIVERED(1)) }
#endif
