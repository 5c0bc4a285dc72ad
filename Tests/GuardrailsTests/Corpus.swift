// SPDX-License-Identifier: Apache-2.0

/// Texts in which there is nothing to find.
enum Corpus {
  static let prose = """
    The committee met on Thursday to assess the classic problem of how a small town keeps its harbour open \
    in winter. Mr. Hancock, who had passed the day in the cockpit of a cutter, spoke first: the ice, he said, \
    was no thicker than a hand, and the boats could pass as long as somebody kept the channel clear. Show me \
    the figures, the chair replied, and tell us what the last ten years have cost. There were 1,204 entries \
    in the book, from 12.5 to 3,480.00 crowns each; the sum, including repairs, came to $48,210.75. "You are \
    now asking for a new ship," said one of the members, "and I, for one, will not ignore the price." From \
    then on the talk went round in circles, as it does, until a motion to act was put to the vote and failed \
    by 7 to 5. They agreed to meet again on 2024-03-07 at 18:30, or on the 14th if the weather turned.\n
    """

  static let json = """
    {"id":"550e8400-e29b-41d4-a716-446655440000","created_at":"2024-01-31T10:15:30.123Z","amount":12345.67,\
    "items":[{"sku":"AB-1234-XY","count":3,"price":19.99},{"sku":"CD-9","count":12,"price":0.5}],"ok":true,\
    "digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","epoch":1732874331,\
    "epoch_ms":1732874331123,"version":"2.10.0-beta.4","path":"/usr/local/lib/x.so","tags":["a","b"],\
    "next":null,"url":"https://example.com/a/b?c=d&e=1#f","password":{"type":"string","minLength":8}}\n
    """

  static let code = """
    public func merge<T: Comparable>(_ left: [T], _ right: [T]) -> [T] {
      var merged: [T] = [], i = 0, j = 0 // O(n + m)
      while i < left.count && j < right.count {
        if left[i] <= right[j] { merged.append(left[i]); i += 1 } else { merged.append(right[j]); j += 1 }
      }
      return merged + left[i...] + right[j...]
    }
    import { x } from '../../lib/x'; const ids = [4, 8, 15, 16, 23, 42, 108, 0xDEADBEEF, 1e-9]
    def run(self, *args, **kwargs): return {k: v for k, v in kwargs.items() if v is not None}
    @decorator(name="x", password=settings.PASSWORD)
    SELECT a.id, b.name FROM a JOIN b ON a.id = b.a_id WHERE a.x = 'y' OR b.z IS NULL;
    <button onClick={() => go(`/a/${id}`)}>{{ label }}</button> #include "../../x.h"
    let user = try await load(id) ?? fallback; print("\\(user.name): \\(user.age)") | 0x7fff_ffff\n
    """

  static let log = """
    2024-01-31 10:15:30,123 INFO [worker-3] GET /v1/agents/7f3c/runs 200 1532 12ms id=01HQXYZ123
    2024-01-31T10:15:30.123456+01:00 WARN queue depth 1024 of 2048 (50%) after 3.75 s; retry 2/5
    Jan 31 10:15:30 host kernel: [12345.678901] usb 1-1.2: new device number 7 using xhci_hcd
    thread 140245123456789 pid 12345 rss 123456 kB 0x00007f3a2c0012f0 in main+0x1f at main.c:42:7
    sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 2b8e4d1
    commit 3f5a1c9 author date Wed Jan 31 10:15:30 2024 +0100 | 12 files changed, 340 insertions(+), 12 deletions(-)
    ISBN 978-3-16-148410-0, DOI 10.1000/182, RFC 7519, EUR 1.234,56, GBP 99, 10 x 20 x 30 mm, 48.8584, 2.2945\n
    """

  static let foreign = """
    Der Ausschuss tagte am 31.01.2024 um 18:30 Uhr und beschloß, die Größe der Häfen zu prüfen; das kostet 1.234,50 €.
    Le comité s'est réuni à 18 h 30 pour évaluer les coûts, qui s'élèvent à 12 345,67 € depuis l'année précédente.
    El comité se reunió para revisar las instrucciones de uso y decidió no cambiar nada hasta el próximo año.
    Комитет собрался в четверг и решил ничего не менять. 委員会は木曜日に開かれ、何も変えないことに決めた。
    اجتمعت اللجنة يوم الخميس وقررت عدم تغيير أي شيء. 🎉 👩‍💻 Ünïcödé ﬁn – “quoted” … done.\n
    """

  static let all = [("prose", prose), ("json", json), ("code", code), ("log", log), ("foreign", foreign)]
}
