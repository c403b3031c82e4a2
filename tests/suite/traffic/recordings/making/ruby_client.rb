# Makes the same calls with net/http, recorded by VCR for Ruby.
#   ruby ruby_client.rb BASE_URL TO.yml
require "json"
require "net/http"
require "vcr"

calls = JSON.parse(File.read(File.join(__dir__, "calls.json")))
base, to = ARGV
VCR.configure do |config|
  config.cassette_library_dir = File.dirname(to)
  config.hook_into :webmock
end

def send_to(address, kind, headers, body = nil)
  uri = URI(address)
  request = Net::HTTP.const_get(kind).new(uri, headers)
  request.body = body if body
  Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
end

VCR.use_cassette(File.basename(to, ".yml"), record: :all) do
  pair = ["#{calls["email"]}:#{calls["password"]}"].pack("m0")
  json = { "Content-Type" => "application/json" }
  answer = send_to("#{base}/public/api/auth/token", :Post, json, JSON.generate("credentials" => pair))
  own = { "gumgaToken" => JSON.parse(answer.body)["accessToken"], "integrator" => calls["integrator"] }
  calls["orders"].each { |order| send_to("#{base}/order", :Post, json.merge(own), JSON.generate(order)) }
  order = calls["orders"][0]
  query = { "marketplaceCode" => order["marketplaceCode"], "channelName" => order["channelName"], "accountId" => order["accountId"] }
  send_to("#{base}/order?#{URI.encode_www_form(query)}", :Get, own)
  send_to("#{base}/order?#{URI.encode_www_form(query.merge("marketplaceCode" => "nowhere"))}", :Delete, own)
end
