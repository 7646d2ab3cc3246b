// `since` under eviction, revocation and a new memory, with admission by clock (docs/wire.md, sections 8.2 and 8.4).
//
// What it models: two streams and a table with room for one, so that each admission of the other stream evicts. The
// receiver also loses all in a crash, and revokes a key that a thief moved the stream with. Clocks show whole
// microseconds while time goes on in halves of them: senders may round either way, and may be up to SKEW ahead.
//
// The attacker holds every message that was ever signed, and hands over any of them, at any time, as often as he
// likes. He also holds the old key of stream 0 (the honest sender signs with the new one), so until that is revoked
// he can move stream 0 as far as he likes.
//
// Bounded: two streams, one run each, N messages a stream, room for one stream, LAST_MOMENT half microseconds,
// CRASHES crashes of the receiver, SKEW 0 or 1, one revocation. Sequence numbers alone, strict order.

#ifndef SKEW
#define SKEW 0
#endif
#define N 2
#define CRASHES 1
#define LAST_MOMENT 6
#define FORGED 9                       // a number that no honest sender reaches
#define OLD_KEY 1
#define NEW_KEY 2

#define DOWN(t) ((t) / 2)
#define UP(t) (((t) + 1) / 2)
#define MAX(a, b) ((a) > (b) -> (a) : (b))

byte moment;                           // true time, in half microseconds
byte made[2];                          // numbers signed: all of them are recorded
byte sentAt[6];                        // of stream s and number n, at 3 * s + n

bool held;                             // the table's one place: which stream, and what is remembered of it
byte stream, last, heardAt, key;
byte since;
bool revoked;

byte delivered[2];                     // for the promises: bit n of a stream
byte before[2];                        // signed before the memory began
bool forged;                           // the thief has moved the stream
byte crashes;
bool fresh;                            // scratch

#ifdef FAULT_CLOCK_BEYOND_SKEW         // not a fault of ours: what the promise assumes
#define AHEAD (SKEW + 2)
#else
#define AHEAD SKEW
#endif

#ifdef FAULT_SINCE_ROUNDED_DOWN
#define SINCE_NOW DOWN(moment)
#else
#define SINCE_NOW UP(moment)
#endif

#ifdef FAULT_HEARD_AT_ROUNDED_DOWN
#define HEARD_NOW DOWN(moment)
#else
#define HEARD_NOW UP(moment)
#endif

#ifdef FAULT_SKEW_FORGOTTEN
#define LIVE(at) (at > since)
#else
#ifdef FAULT_AT_SINCE                  // what was signed in the very microsecond of `since` is let in
#define LIVE(at) (at >= since + SKEW)
#else
#define LIVE(at) (at > since + SKEW)
#endif
#endif

inline evict() {
#ifndef FAULT_EVICTION_KEEPS_SINCE
  since = MAX(since, heardAt);
#endif
  held = false
}

inline remember(s, n, keyId) {
  if
  :: held && stream != s -> evict()
  :: else
  fi;
  held = true; stream = s; last = n; key = keyId; heardAt = MAX(HEARD_NOW, since)
}

// Questions 3 and 4 of an honest message.
inline arrive(s, n) {
  fresh = (held && stream == s -> n > last : LIVE(sentAt[3 * s + n]));
  if
  :: fresh ->
     remember(s, n, NEW_KEY);
     assert(!(delivered[s] & (1 << n)));                        // at most once
     assert(n > before[s]);                                     // nothing from before the memory
     assert(delivered[s] < (1 << n));                           // in order, whatever was forgotten
     delivered[s] = delivered[s] | (1 << n)
  :: else
  fi;
  fresh = false
}

#ifdef LIVENESS                        // the disturbances end before the last message is signed
#define DISTURBED (moment < LAST_MOMENT - 2 * SKEW - 1)
#else
#define DISTURBED true
#endif

#define SIGN(s, at) made[s]++; sentAt[3 * s + made[s]] = MAX(at, sentAt[3 * s + made[s] - 1])

active proctype Senders() {
end:
  do
  :: d_step { moment < LAST_MOMENT -> moment++ }
#ifdef LIVENESS
  :: d_step { made[0] < N - 1 -> SIGN(0, DOWN(moment)) }
  :: d_step { made[0] == N - 1 && moment == LAST_MOMENT -> SIGN(0, DOWN(moment)) }
  :: d_step { made[0] < N - 1 && DISTURBED -> SIGN(0, UP(moment) + AHEAD) }
#else
  :: d_step { made[0] < N -> SIGN(0, DOWN(moment)) }
  :: d_step { made[0] < N -> SIGN(0, UP(moment) + AHEAD) }
#endif
  :: d_step { made[1] < N && DISTURBED -> SIGN(1, DOWN(moment)) }
  :: d_step { made[1] < N && DISTURBED -> SIGN(1, UP(moment) + AHEAD) }
  od
}

active proctype Receiver() {
end:
  do
  :: d_step { DISTURBED && crashes < CRASHES ->
       crashes++;
       held = false; stream = 0; last = 0; heardAt = 0; key = 0; since = SINCE_NOW;
       before[0] = made[0]; before[1] = made[1] }
  :: d_step { DISTURBED && !revoked ->
       revoked = true;
#ifndef FAULT_REVOCATION_KEEPS_SINCE
       since = MAX(SINCE_NOW, MAX(since, heardAt));
#endif
#ifndef FAULT_REVOCATION_KEEPS_STREAM
       if :: held && key == OLD_KEY -> held = false :: else fi
#endif
     }
  od
}

#define HAND_OVER(s, n) :: d_step { made[s] >= n -> arrive(s, n) }

active proctype Attacker() {
end:
  do
  HAND_OVER(0, 1) HAND_OVER(0, 2)
#define EVICTS(n) :: d_step { made[1] >= n && DISTURBED -> arrive(1, n) }
  EVICTS(1) EVICTS(2)
  :: d_step { !revoked && DISTURBED -> forged = true; remember(0, FORGED, OLD_KEY) }
  od
}

#ifdef LIVENESS
// A fair channel: it hands over the last message again and again. Promised where the table is not full of others and
// a thief does not hold an accepted key.
active proctype Channel() {
end:
  do
  HAND_OVER(0, N)
  od
}

ltl delivered_in_the_end { <> (delivered[0] & (1 << N)) || <> [] (forged && !revoked) }
#endif
