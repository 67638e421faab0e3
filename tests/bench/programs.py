"""The jq programs that stand for what a user would write today.

Each is the quickest way found to say it: event names are compared with the spellings that
occur, because jq's regular expressions would double its time.
"""

from __future__ import annotations

#: jq 1.6 has no quick way to fold a name, so its usual spellings are listed.
_IS_ORDER = """\
def is_order: . == "Order Completed" or . == "Completed Order" or . == "order_completed"
  or . == "completed_order" or . == "OrderCompleted" or . == "CompletedOrder"
  or . == "order completed" or . == "completed order";
def sale($p): if $p.repeat == true then "sale.repeat"
  elif $p.repeat == false then "sale.new" else "sale" end;
def amount($p): $p.total // $p.revenue // 1;
def order_id($p): $p.order_id // $p.orderId // $p.id;
"""

#: One compact object for each order: the least that a dry run could be.
ORDERS = (
    _IS_ORDER
    + """\
select(.type == "track" and (.event | is_order))
| .properties as $p
| {message_id: .messageId, event_type: sale($p), event_value: amount($p), event_id: order_id($p)}
"""
)

#: The same calls as the program makes of a generated export, as curl's configuration lines.
#: ``$base`` is where they go. A 204 has no body, and ``output`` keeps others off the terminal.
CURL_CONFIG = (
    _IS_ORDER
    + """\
def place: .context
  | @uri "&pag=\\(.page.url)&ref=\\(.page.referrer)&cip=\\(.ip)&cua=\\(.userAgent)";
def time: @uri "&ts=\\(.timestamp[0:19] + "Z" | fromdate)";
def device: @uri "?device_id=\\(.context.device.id)&user_id=\\(.userId // "")"
  + @uri "&pag=https%3A%2F%2Fshop.example.com&cip=\\(.context.ip)" + time;
def hit($eid; $typ; $val):
  @uri "hit/acme/1/?sid=\\(.anonymousId)&eid=\\($eid)&typ=\\($typ)&val=\\($val)" + place + time;
def target: if . == "Signed Up" or . == "signed_up" or . == "signedUp" then "signup"
  elif . == "Trial Started" or . == "trial_started" then "trial"
  elif . == "Lead Submitted" or . == "leadSubmitted" then "lead" else null end;
select((.type == "track" or .type == "identify") and .integrations.Convertro != false)
| .properties as $p
| if .context.library.name == "analytics.js" then
    if .type == "identify" then
      select(.userId) | @uri "user/acme/1/?sid=\\(.anonymousId)&id=\\(.userId)"
        + place + time + @uri "&plan=\\(.traits.plan)"
    elif .event | is_order then hit(order_id($p); sale($p); amount($p))
    else
      (.event | target) as $target | select($target)
      | hit("\\($target)-\\(.anonymousId[0:32])"; $target; 1)
    end
  else
    select(.context.device.id)
    | if .type == "identify" then select(.userId) | "user/acme/1/" + device
      elif .event == "Application Installed" then "install/acme/1/" + device
      elif .event | is_order then
        "hit/acme/1/" + device
          + @uri "&event_type=\\(.event)&event_value=\\(amount($p))&eid=\\(order_id($p))"
      else empty end
  end
| "url = \\"\\($base)/api/\\(.)\\"\\noutput = \\"/dev/null\\""
"""
)
